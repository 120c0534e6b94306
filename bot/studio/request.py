"""A request to paint: its owner, where it was made, and who can see the result."""

from dataclasses import dataclass

from db.records import Owner


@dataclass(frozen=True, slots=True)
class Request:
    """`guild` and `channel` are Discord's ids. What is painted belongs to the owner; if `private`,
    nobody else sees it.

    `order_id` identifies a request across restarts: a repeated request with the same id returns
    what was painted for the first one.
    """

    owner: Owner
    guild: str | None = None
    channel: str | None = None
    private: bool = False
    order_id: str | None = None

    @property
    def user(self) -> str:
        """The user of the engine's fair queue."""
        return user_of(self.owner)


def user_of(owner: Owner) -> str:
    return f"{owner.kind}:{owner.key}"
