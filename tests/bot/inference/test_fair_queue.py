from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bot.inference.fair_queue import FairQueue


@dataclass(eq=False)
class Request:
    user: str
    remaining: int
    model: str = "m"
    share: Fraction = Fraction(1, 4)

    def __repr__(self) -> str:
        return f"{self.user}:{self.remaining}"


def queue_of(*requests: Request) -> FairQueue[Request]:
    queue: FairQueue[Request] = FairQueue()
    for request in requests:
        queue.add(request)
    return queue


def drain(queue: FairQueue[Request]) -> list[dict[str, int]]:
    """Pictures by user, of each batch until the queue is empty."""
    batches = []
    while batch := queue.take_batch():
        pictures: dict[str, int] = {}
        for request, count in batch:
            pictures[request.user] = pictures.get(request.user, 0) + count
        batches.append(pictures)
    return batches


def test_large_requests_do_not_delay_other_users() -> None:
    queue = queue_of(Request("many", 6), *(Request(f"one {i}", 1) for i in range(5)))
    assert drain(queue) == [
        {"many": 1, "one 0": 1, "one 1": 1, "one 2": 1},
        {"one 3": 1, "one 4": 1, "many": 2},
        {"many": 3},
    ]
    assert queue.take_batch() == []


def test_round_robin_continues_across_batches() -> None:
    queue = queue_of(*(Request(name, 2) for name in "abcdef"))
    assert [list(batch) for batch in drain(queue)] == [list("abcd"), list("efab"), list("cdef")]


def test_requests_of_one_user_are_first_in_first_out() -> None:
    first, second = Request("a", 3), Request("a", 3)
    queue = queue_of(first, second)
    assert queue.take_batch() == [(first, 3), (second, 1)]
    assert queue.take_batch() == [(second, 2)]


def test_a_batch_has_one_model_and_the_next_batch_has_the_other() -> None:
    old, new, third = Request("a", 2, "old"), Request("b", 2, "new"), Request("c", 1, "old")
    queue = queue_of(old, new, third)
    assert queue.take_batch() == [(old, 2), (third, 1)]
    assert queue.take_batch() == [(new, 2)]


def test_requests_that_do_not_fit_are_first_in_the_next_batch() -> None:
    small = [Request(name, 3) for name in "ab"]
    large = Request("c", 1, share=Fraction(1))
    queue = queue_of(*small, large)
    assert queue.take_batch() == [(small[0], 2), (small[1], 2)]
    assert queue.take_batch() == [(large, 1)]
    assert queue.take_batch() == [(small[0], 1), (small[1], 1)]


def test_a_picture_larger_than_a_batch_is_painted_alone() -> None:
    huge = Request("a", 2, share=Fraction(3))
    queue = queue_of(huge, Request("b", 1))
    assert queue.take_batch() == [(huge, 1)]
    assert drain(queue) == [{"b": 1}, {"a": 1}]


def test_removing_a_request_keeps_the_positions_of_others() -> None:
    removed, kept = Request("a", 9), Request("b", 2)
    queue = queue_of(removed, kept)
    queue.take_batch()
    assert queue.pictures == 7
    assert queue.remove(removed)
    assert not queue.remove(removed)
    assert (queue.pictures, list(queue)) == (0, [])
    queue.add(late := Request("b", 1))
    assert queue.take_batch() == [(late, 1)]


def test_position_counts_the_pictures_before() -> None:
    queue = queue_of(*(Request(name, 2) for name in "abc"))
    assert [queue.position(name) for name in "abcd"] == [0, 1, 2, None]


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
def test_every_picture_is_in_one_batch_and_users_stay_in_order(requests: list[Request]) -> None:
    remaining = {id(r): r.remaining for r in requests}
    queue = queue_of(*requests)
    while queue.pictures:
        waiting = queue.pictures
        before = {r.user: queue.position(r.user) for r in queue}
        first = next(iter(queue))
        batch = queue.take_batch()
        assert batch[0][0] is first
        assert sum(request.share * count for request, count in batch) <= 1
        assert waiting - queue.pictures == sum(count for _, count in batch)
        served = {request.user for request, _ in batch}
        for request, count in batch:
            remaining[id(request)] -= count
            assert remaining[id(request)] == request.remaining
        # users without a picture keep their order and move up
        unserved = [user for user in before if user not in served]
        positions = [queue.position(user) for user in unserved]
        assert positions == list(range(len(unserved)))
    assert not any(remaining.values())
