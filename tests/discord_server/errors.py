"""How Discord refuses: its error codes, and the nested errors object of an invalid form."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

CODES: dict[int, tuple[int, str]] = {
    0: (401, "401: Unauthorized"),
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20028: (
        429,
        "The write action you are performing on the channel has hit the write rate limit.",
    ),
    30032: (400, "Maximum number of application commands reached (100)"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    40094: (400, "This interaction has reached its maximum number of follow up messages"),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50109: (400, "The request body contains invalid JSON."),
}


class ApiError(Exception):
    """A refusal, as Discord words it: HTTP status, JSON error code, and perhaps `errors`."""

    def __init__(self, code: int, errors: dict[str, Any] | None = None) -> None:
        self.code = code
        self.status, self.message = CODES[code]
        self.errors = errors
        super().__init__(f"{code} {self.message} {errors or ''}".rstrip())

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        return body | ({"errors": self.errors} if self.errors else {})


class Form:
    """Collects what is wrong with a request body: `{"embeds": {"0": {"_errors": […]}}}`."""

    def __init__(self) -> None:
        self.errors: dict[str, Any] = {}

    def add(self, path: Sequence[str | int], code: str, message: str) -> None:
        node = self.errors
        for part in path:
            node = node.setdefault(str(part), {})
        wrongs = node.setdefault("_errors", [])
        if all(wrong["code"] != code for wrong in wrongs):
            wrongs.append({"code": code, "message": message})

    def too_long(self, path: Sequence[str | int], most: int) -> None:
        self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")

    def bad_length(self, path: Sequence[str | int], least: int, most: int) -> None:
        self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")

    def required(self, path: Sequence[str | int]) -> None:
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def check(self) -> None:
        """Raises ApiError 50035 if anything was added."""
        if self.errors:
            raise ApiError(50035, self.errors)


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that the bot did and that Discord does not allow.

    `code` is Discord's JSON error code or gateway close code; 0 where it has none.
    """

    code: int
    message: str
    where: str = ""
    errors: dict[str, Any] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.where}: {self.code} {self.message} {self.errors or ''}".strip()


class BotError(AssertionError):
    """What a member sees when the bot does not answer, or answers wrongly; says why."""


class ImpossibleError(Exception):
    """The test asks a member for something that Discord's client would not let him do."""
