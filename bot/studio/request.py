"""A request to paint: its owner, guild and channel, and whether the pictures are private."""

import time
from dataclasses import dataclass, field

from db.records import Owner


@dataclass(frozen=True, slots=True)
class Request:
    """`guild` and `channel` are Discord's ids. The pictures belong to the owner; `private` ones are
    visible to the owner only.

    `order_id` identifies a request across restarts: a repeated request with the same id returns
    the pictures of the first one. `began` is the monotonic time when the request was received: if
    the owner's data is deleted afterwards, nothing is stored.
    """

    owner: Owner
    guild: str | None = None
    channel: str | None = None
    private: bool = False
    order_id: str | None = None
    began: float = field(default_factory=time.monotonic, compare=False)

    @property
    def user(self) -> str:
        """The user of the engine's fair queue."""
        return user_of(self.owner)


def user_of(owner: Owner) -> str:
    return f"{owner.kind}:{owner.key}"
