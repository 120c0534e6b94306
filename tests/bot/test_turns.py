from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bot.turns import Turns


@dataclass(eq=False)
class Request:
    turn: str
    left: int
    model: str = "m"
    share: Fraction = Fraction(1, 4)

    def __repr__(self) -> str:
        return f"{self.turn}:{self.left}"


def queue(*requests: Request) -> Turns[Request]:
    turns: Turns[Request] = Turns()
    for request in requests:
        turns.add(request)
    return turns


def drain(turns: Turns[Request]) -> list[dict[str, int]]:
    """Pictures by turn, of each batch until nothing waits."""
    batches = []
    while batch := turns.take():
        pictures: dict[str, int] = {}
        for request, count in batch:
            pictures[request.turn] = pictures.get(request.turn, 0) + count
        batches.append(pictures)
    return batches


def test_many_pictures_of_one_hold_nobody_up() -> None:
    turns = queue(Request("many", 6), *(Request(f"one {i}", 1) for i in range(5)))
    assert drain(turns) == [
        {"many": 1, "one 0": 1, "one 1": 1, "one 2": 1},
        {"one 3": 1, "one 4": 1, "many": 2},
        {"many": 3},
    ]
    assert turns.take() == []


def test_the_round_goes_on_where_the_last_batch_ended() -> None:
    turns = queue(*(Request(name, 2) for name in "abcdef"))
    assert [list(batch) for batch in drain(turns)] == [list("abcd"), list("efab"), list("cdef")]


def test_what_one_asks_first_comes_first() -> None:
    first, second = Request("a", 3), Request("a", 3)
    turns = queue(first, second)
    assert turns.take() == [(first, 3), (second, 1)]
    assert turns.take() == [(second, 2)]


def test_a_batch_is_by_one_model_and_the_other_comes_next() -> None:
    old, new, third = Request("a", 2, "old"), Request("b", 2, "new"), Request("c", 1, "old")
    turns = queue(old, new, third)
    assert turns.take() == [(old, 2), (third, 1)]
    assert turns.take() == [(new, 2)]


def test_what_does_not_fit_comes_first_in_the_next_batch() -> None:
    small = [Request(name, 3) for name in "ab"]
    large = Request("c", 1, share=Fraction(1))
    turns = queue(*small, large)
    assert turns.take() == [(small[0], 2), (small[1], 2)]
    assert turns.take() == [(large, 1)]
    assert turns.take() == [(small[0], 1), (small[1], 1)]


def test_a_picture_larger_than_a_batch_is_painted_alone() -> None:
    huge = Request("a", 2, share=Fraction(3))
    turns = queue(huge, Request("b", 1))
    assert turns.take() == [(huge, 1)]
    assert drain(turns) == [{"b": 1}, {"a": 1}]


def test_who_goes_away_leaves_the_others_their_place() -> None:
    gone, stays = Request("a", 9), Request("b", 2)
    turns = queue(gone, stays)
    turns.take()
    assert turns.pictures == 7
    assert turns.remove(gone)
    assert not turns.remove(gone)
    assert (turns.pictures, list(turns)) == (0, [])
    turns.add(late := Request("b", 1))
    assert turns.take() == [(late, 1)]


def test_the_place_counts_the_pictures_before() -> None:
    turns = queue(*(Request(name, 2) for name in "abc"))
    assert [turns.place(name) for name in "abcd"] == [0, 1, 2, None]


REQUESTS = st.lists(
    st.builds(
        Request,
        st.sampled_from("abcde"),
        st.integers(1, 20),
        st.just("m"),
        st.sampled_from([Fraction(1, 4), Fraction(1, 3), Fraction(1, 16)]),
    )
)


@given(REQUESTS)
def test_all_is_painted_once_and_nobody_is_passed_over_twice(requests: list[Request]) -> None:
    asked = {id(r): r.left for r in requests}
    turns = queue(*requests)
    while turns.pictures:
        waiting = turns.pictures
        before = {r.turn: turns.place(r.turn) for r in turns}
        first = next(iter(turns))
        batch = turns.take()
        assert batch[0][0] is first
        assert sum(request.share * count for request, count in batch) <= 1
        assert waiting - turns.pictures == sum(count for _, count in batch)
        served = {request.turn for request, _ in batch}
        for request, count in batch:
            asked[id(request)] -= count
            assert asked[id(request)] == request.left
        # who had no turn has moved up by those who had one, and was overtaken by nobody
        waits = [turn for turn in before if turn not in served]
        places = [turns.place(turn) for turn in waits]
        assert places == list(range(len(waits)))
    assert not any(asked.values())
