import pytest

from bot.passwords import PasswordHash

QUICK = (4, 8, 1)


def test_a_hash_is_of_its_password_alone() -> None:
    text = str(PasswordHash.of("correct horse", QUICK))
    read = PasswordHash.parse(text)
    assert read.cost == QUICK
    assert str(read) == text
    assert read.is_of("correct horse")
    for wrong in ("", "correct hors", "correct horse ", "Correct horse", "\udcff"):
        assert not read.is_of(wrong)


def test_no_two_hashes_are_alike() -> None:
    assert str(PasswordHash.of("same", QUICK)) != str(PasswordHash.of("same", QUICK))


def test_a_letter_is_the_same_however_it_is_written() -> None:
    assert PasswordHash.of("caf\u00e9 caf\u00e9", QUICK).is_of("cafe\u0301 cafe\u0301")


def test_a_hash_says_that_it_takes_work() -> None:
    assert str(PasswordHash.of("correct horse")).startswith("scrypt:15:8:3:")


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "scrypt:15:8:3",
        "scrypt:15:8:3:short:hash",
        "$2b$12$abcdefghijklmnopqrstuv",
        "scrypt:0:8:1:" + "a" * 22 + ":" + "a" * 43,
        "scrypt:40:8:1:" + "a" * 22 + ":" + "a" * 43,  # more memory than any machine has
        "scrypt:15:8:3:" + "a" * 22 + ":" + "a" * 43 + "\n",
    ],
)
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="password hash"):
        PasswordHash.parse(text)
