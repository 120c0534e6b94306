"""The sections of `/settings server`: their fields, and what they say about a server."""

from dataclasses import dataclass
from typing import Any, Literal

from bot.discord.text import mentions, role_lines
from bot.i18n.messages import say
from bot.studio.community.service import HEARTS, RETRACT_MINUTES
from db.records import CommunitySettings, GuildLimits

OVERVIEW, REPORTS, ROLES, BOT = "overview", "reports", "roles", "bot"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of CommunitySettings, or the channel for reports: one channel or none, several
    channels, one of the `choices`, or a switch.
    """

    name: str
    kind: Literal["channel", "channels", "number", "switch"]
    choices: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """The beginning of its messages."""
        return f"server-{self.name.replace('_', '-')}"


SECTIONS: dict[str, tuple[Field, ...]] = {
    OVERVIEW: (),
    "welcome": (Field("welcome", "channel"),),
    "showcase": (Field("showcase", "channel"), Field("hearts", "number", HEARTS)),
    "bracket": (Field("bracket", "channel"),),
    "portrait": (Field("portrait", "channel"),),
    REPORTS: (Field(REPORTS, "channel"),),
    "guess": (Field("guess", "switch"),),
    "replies": (
        Field("spoilers", "channels"),
        Field("retract", "channels"),
        Field("retract_minutes", "number", RETRACT_MINUTES),
        Field("links", "switch"),
    ),
    ROLES: (),
    BOT: (),
}
ICONS = {
    OVERVIEW: "📋",
    "welcome": "👋",
    "showcase": "🌟",
    "bracket": "🏆",
    "portrait": "👪",
    REPORTS: "🚩",
    "guess": "🧩",
    "replies": "💬",
    ROLES: "🎖️",
    BOT: "🎨",
}
# sections that post by themselves
POSTING = ("welcome", "showcase", "bracket", "portrait", REPORTS)


@dataclass(frozen=True, slots=True)
class State:
    """What the panel shows. `shows_model` is None for members who may not change it; `channels`
    are those that exist, by id, because Discord may refuse others as chosen; `problems` are keys of
    messages about the section on display, `role` is the one whose limits are shown.
    """

    settings: CommunitySettings
    limits: GuildLimits
    shows_model: bool | None
    channels: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    role: str | None = None

    def value(self, name: str) -> Any:
        """The value of a field."""
        return self.limits.reports_channel if name == REPORTS else getattr(self.settings, name)


def find_field(name: str) -> Field:
    return next(f for fields in SECTIONS.values() for f in fields if f.name == name)


def section_of(field: Field) -> str:
    return next(section for section, fields in SECTIONS.items() if field in fields)


def describe(section: str, state: State, language: str) -> list[str]:
    """The lines at the top of a section. Those of the overview say what is turned on."""
    if section == OVERVIEW:
        return [
            *(_summary(name, state, language) for name in POSTING),
            f"-# {say('server-rest', language)}",
            *(_summary(name, state, language) for name in ("guess", "replies", ROLES)),
        ]
    lines = [say(f"server-about-{section}", language)]
    if section == ROLES:
        lines += role_lines(state.limits, language)
    return [*lines, *(f"⚠️ {say(key, language)}" for key in state.problems)]


def _summary(section: str, state: State, language: str) -> str:
    """A line of the overview: the section, and what is turned on."""
    parts = []
    for field in SECTIONS[section]:
        value = state.value(field.name)
        if field.kind == "switch" and value:
            parts.append(say(field.key, language) if section == "replies" else "")
        elif field.kind == "channel" and value is not None:
            parts.append(f"<#{value}>")
        elif field.kind == "channels" and value:
            parts.append(f"{say(field.key, language)} {mentions('<#{}>', value, language)}")
    if section == ROLES and state.limits.role_limits:
        parts.append(mentions("<@&{}>", list(state.limits.role_limits), language))
    name = f"{ICONS[section]} **{say(f'server-section-{section}', language)}**"
    if not parts:
        return f"⚪ {name}: {say('server-off', language)}"
    return f"🟢 {name}: {' · '.join(filter(None, parts)) or say('server-on', language)}"
