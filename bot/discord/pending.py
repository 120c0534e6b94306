"""Stand-ins for what is about to land in bot.language and the studio; to be removed then."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.store import Owner

TEXTS = {
    "failure-broken": "Something broke on my side. If it keeps happening, tell my admin: `{code}`.",
    "failure-outdated": "This command has changed. Reload Discord (Ctrl+R), then try again.",
}


def say(key: str, language: str = "en", /, **facts: Any) -> str:
    return TEXTS.get(key, key).format(**facts)


def language_for(locale: str) -> str:
    return "en"


@dataclass(frozen=True)
class MemberSettings:
    private: bool | None = None
    size: int | None = None
    language: str | None = None


@dataclass(frozen=True)
class Owed:
    id: str
    application: str
    token: str
    work: str
    given: dict[str, Any]
    owner: Owner
    guild: str | None
    channel: str | None
    language: str
    private: bool
    named: bool
    created: datetime
