"""Whose picture is painted next: everybody's in turn, so that many of one hold nobody up."""

from collections import OrderedDict, deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """A request for pictures.

    `left` are the pictures that have not been taken yet; `share` is how much of a batch one of them
    takes; pictures of one batch are by one `model`.
    """

    turn: str
    left: int
    share: Fraction

    @property
    def model(self) -> object: ...


R = TypeVar("R", bound=Waiting)


class Turns(Generic[R]):
    """Requests that wait: one picture of each turn after the other, round and round; within a turn
    what was asked first comes first."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, deque[R]] = OrderedDict()
        self.pictures = 0

    def __iter__(self) -> Iterator[R]:
        for requests in self._turns.values():
            yield from requests

    def add(self, request: R) -> None:
        self._turns.setdefault(request.turn, deque()).append(request)
        self.pictures += request.left

    def remove(self, request: R) -> bool:
        """Whether it was still waiting, with a picture at least."""
        requests = self._turns.get(request.turn, ())
        if request not in requests:
            return False
        self._turns[request.turn].remove(request)
        self.pictures -= request.left
        if not self._turns[request.turn]:
            del self._turns[request.turn]
        return True

    def take(self) -> list[tuple[R, int]]:
        """The next batch: requests, and how many pictures of each.

        A turn whose next picture does not fit in, or is by another model, keeps its place: it comes
        first in the batch after this one.
        """
        taken: dict[R, int] = {}
        model: object = None
        room = Fraction(1)
        order = deque(self._turns)
        while order:
            turn = order.popleft()
            request = self._turns[turn][0]
            if taken and (request.model is not model or request.share > room):
                continue
            model = request.model
            room -= request.share
            request.left -= 1
            self.pictures -= 1
            taken[request] = taken.get(request, 0) + 1
            if not request.left:
                self._turns[turn].popleft()
            if self._turns[turn]:
                self._turns.move_to_end(turn)
                order.append(turn)
            else:
                del self._turns[turn]
        return list(taken.items())

    def place(self, turn: str) -> int | None:
        """How many waiting pictures come before the next one of this turn; None if none waits."""
        return next((place for place, name in enumerate(self._turns) if name == turn), None)
