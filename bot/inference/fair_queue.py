"""A fair queue: pictures are taken round-robin across users, so that large requests do not delay
other users.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Generic, Protocol, TypeVar


class QueuedRequest(Protocol):
    """A user's request for pictures.

    `remaining` is the number of pictures that no batch has taken yet; `share` is the part of a
    batch that one picture takes; all pictures of a batch are by the same `model`.
    """

    user: str
    remaining: int
    share: Fraction

    @property
    def model(self) -> object: ...


R = TypeVar("R", bound=QueuedRequest)


class FairQueue(Generic[R]):
    """Takes one picture per user in rotation; requests of one user are first in, first out.
    `pictures` is the number of queued pictures.
    """

    def __init__(self) -> None:
        self._requests: OrderedDict[str, deque[R]] = OrderedDict()  # by user, the next one first
        self.pictures = 0

    def __iter__(self) -> Iterator[R]:
        for requests in self._requests.values():
            yield from requests

    def add(self, request: R) -> None:
        self._requests.setdefault(request.user, deque()).append(request)
        self.pictures += request.remaining

    def remove(self, request: R) -> bool:
        """Removes a request. False if none of its pictures was queued any more."""
        requests = self._requests.get(request.user, ())
        if request not in requests:
            return False
        self._requests[request.user].remove(request)
        self.pictures -= request.remaining
        if not self._requests[request.user]:
            del self._requests[request.user]
        return True

    def take_batch(self) -> list[tuple[R, int]]:
        """The next batch: requests, each with its number of pictures.

        A user whose next picture does not fit in, or is by another model, keeps the position and
        comes first in the batch after this one.
        """
        taken: dict[R, int] = {}
        model: object = None
        capacity = Fraction(1)
        users = deque(self._requests)
        while users:
            user = users.popleft()
            request = self._requests[user][0]
            if taken and (request.model is not model or request.share > capacity):
                continue
            model = request.model
            capacity -= request.share
            request.remaining -= 1
            self.pictures -= 1
            taken[request] = taken.get(request, 0) + 1
            if not request.remaining:
                self._requests[user].popleft()
            if self._requests[user]:
                self._requests.move_to_end(user)
                users.append(user)
            else:
                del self._requests[user]
        return list(taken.items())

    def position(self, user: str) -> int | None:
        """Number of queued pictures before the user's next one; None if none is queued."""
        return next((i for i, name in enumerate(self._requests) if name == user), None)
