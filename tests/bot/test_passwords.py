import pytest
from argon2 import PasswordHasher

from bot.passwords import PasswordHash

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
# hash of "correct horse" made by version 0.2
SCRYPT = "scrypt:4:8:1:3GbjSs4pK_AVJBrzg_JJ3g:nlypCPSPRcAZkdmoTPoXdPLkdsUd2--3Ms6ILV-EwRk"


def test_a_hash_matches_only_its_password() -> None:
    text = str(PasswordHash.of("correct horse", QUICK))
    parsed = PasswordHash.parse(text)
    assert str(parsed) == text
    assert parsed.matches("correct horse")
    for other in ("", "correct hors", "correct horse ", "Correct horse", "\udcff"):
        assert not parsed.matches(other)


def test_scrypt_hashes_of_earlier_versions_stay_valid() -> None:
    parsed = PasswordHash.parse(SCRYPT)
    assert str(parsed) == SCRYPT
    assert parsed.matches("correct horse")
    for other in ("", "correct hors", "correct horse ", "Correct horse", "\udcff"):
        assert not parsed.matches(other)


def test_two_hashes_of_a_password_differ() -> None:
    assert str(PasswordHash.of("same", QUICK)) != str(PasswordHash.of("same", QUICK))


def test_accented_letters_are_normalized() -> None:
    assert PasswordHash.of("caf\u00e9 caf\u00e9", QUICK).matches("cafe\u0301 cafe\u0301")


def test_the_default_hash_is_argon2id_with_64_mib() -> None:
    assert str(PasswordHash.of("correct horse")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize(
    "text",
    [
        "hunter2",
        "scrypt:15:8:3",
        "scrypt:15:8:3:short:hash",
        "$2b$12$abcdefghijklmnopqrstuv",
        "scrypt:0:8:1:" + "a" * 22 + ":" + "a" * 43,
        "scrypt:40:8:1:" + "a" * 22 + ":" + "a" * 43,  # needs more memory than any machine has
        "scrypt:15:8:3:" + "a" * 22 + ":" + "a" * 43 + "\n",
        "$argon2id$v=19$m=65536,t=3,p=4$abc",
        "$argon2i$v=19$m=65536,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJMjfC",
        "$argon2id$v=19$m=9999999,t=3,p=4$MIIRqgvgQbgj220jfp0MPA$YfwJSVjtjSU0zzV/P3S9nnQ/USre2wvJ",
    ],
)
def test_invalid_and_excessive_hashes_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="password hash"):
        PasswordHash.parse(text)
