"""Discord's error codes, and the nested errors object of an invalid body."""

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
    """An error response of Discord: HTTP status, JSON error code, and optional `errors`."""

    def __init__(self, code: int, errors: dict[str, Any] | None = None) -> None:
        self.code = code
        self.status, self.message = CODES[code]
        self.errors = errors
        super().__init__(f"{code} {self.message} {errors or ''}".rstrip())

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        return body | ({"errors": self.errors} if self.errors else {})


class Form:
    """Collects the errors of a request body: `{"embeds": {"0": {"_errors": […]}}}`."""

    def __init__(self) -> None:
        self.errors: dict[str, Any] = {}

    def add(self, path: Sequence[str | int], code: str, message: str) -> None:
        node = self.errors
        for part in path:
            node = node.setdefault(str(part), {})
        errors = node.setdefault("_errors", [])
        if all(error["code"] != code for error in errors):
            errors.append({"code": code, "message": message})

    def too_long(self, path: Sequence[str | int], maximum: int) -> None:
        self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {maximum} or fewer in length.")

    def bad_length(self, path: Sequence[str | int], minimum: int, maximum: int) -> None:
        self.add(
            path, "BASE_TYPE_BAD_LENGTH", f"Must be between {minimum} and {maximum} in length."
        )

    def required(self, path: Sequence[str | int]) -> None:
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def check(self) -> None:
        """Raises ApiError 50035 if anything was added."""
        if self.errors:
            raise ApiError(50035, self.errors)


@dataclass(frozen=True, slots=True)
class Violation:
    """An action of the bot that Discord does not allow.

    `code` is Discord's JSON error code or gateway close code; 0 if there is none.
    """

    code: int
    message: str
    where: str = ""
    errors: dict[str, Any] | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.where}: {self.code} {self.message} {self.errors or ''}".strip()


class BotError(AssertionError):
    """The bot did not answer an interaction, or answered it incorrectly."""


class ImpossibleActionError(Exception):
    """The test requested an action that the Discord client does not allow."""
