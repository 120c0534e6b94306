"""What is being painted, so that the deletion of an owner's data reaches it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.errors import NotFound
from db.records import Owner


@dataclass(eq=False, slots=True)
class Work:
    """The painting of one request; `canceled` once its owner's data is deleted."""

    owner: Owner
    canceled: bool = False

    def check(self) -> None:
        """Raises NotFound if the owner's data was deleted."""
        if self.canceled:
            raise NotFound("privacy-not-kept")


class OngoingWork:
    def __init__(self) -> None:
        self._open: set[Work] = set()

    @contextmanager
    def begin(self, owner: Owner) -> Iterator[Work]:
        work = Work(owner)
        self._open.add(work)
        try:
            yield work
        finally:
            self._open.remove(work)

    def cancel(self, owner: Owner) -> None:
        for work in self._open:
            if (work.owner.kind, work.owner.key) == (owner.kind, owner.key):
                work.canceled = True
