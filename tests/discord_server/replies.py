"""The bot's replies as users see them: messages and modals."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from . import limits
from .attachments import Attachment
from .errors import BotError
from .model import COMPONENTS_V2, EPHEMERAL, Channel, Interaction, Message

if TYPE_CHECKING:
    from .server import DiscordServer


class Choice(NamedTuple):
    name: str
    value: Any


@dataclass(frozen=True)
class Button:
    custom_id: str | None
    label: str
    emoji: str
    style: int
    disabled: bool
    url: str | None


@dataclass(frozen=True)
class Select:
    custom_id: str
    placeholder: str
    options: list[dict[str, Any]]
    min_values: int
    max_values: int
    disabled: bool
    type: int
    default_values: list[str]  # ids, of selects of channels, roles or users


class Reply:
    """A message in its current state."""

    def __init__(self, server: "DiscordServer", message: Message) -> None:
        self._server = server
        self.message = message

    def __repr__(self) -> str:
        return f"<{self.message.author.name}: {self.text!r}, {len(self.pictures)} pictures>"

    @property
    def id(self) -> int:
        return self.message.id

    @property
    def channel(self) -> Channel:
        return self.message.channel

    @property
    def content(self) -> str:
        return self.message.content

    @property
    def embeds(self) -> list[dict[str, Any]]:
        return self.message.embeds

    @property
    def components(self) -> list[dict[str, Any]]:
        return self.message.components

    @property
    def flags(self) -> int:
        return self.message.flags

    @property
    def ephemeral(self) -> bool:
        return bool(self.message.flags & EPHEMERAL)

    @property
    def deleted(self) -> bool:
        return self.message.deleted

    @property
    def attachments(self) -> list[Attachment]:
        """All files of the message, including those that embeds or components show."""
        return self.message.files

    @property
    def text(self) -> str:
        """All text of the message: content, embeds and text displays."""
        parts = [self.content]
        for embed in self.embeds:
            fields = [(field["name"], field["value"]) for field in embed.get("fields", [])]
            footer = embed.get("footer", {}).get("text")
            title, description = embed.get("title"), embed.get("description")
            parts += [str(part) for part in (title, description) if part]
            parts += [f"{name}: {value}" for name, value in fields]
            parts += [footer] if footer else []
        parts += [
            component["content"]
            for component, _ in limits.walk(self.components, [])
            if component["type"] == limits.TEXT
        ]
        return "\n".join(part for part in parts if part)

    @property
    def pictures(self) -> list[Attachment]:
        """The visible image files: in galleries, in embeds, or attached."""
        shown = json.dumps([self.embeds, self.components])
        v2 = bool(self.flags & COMPONENTS_V2)
        return [
            file
            for file in self.message.files
            if file.content_type.startswith("image/") and (not v2 or file.url in shown)
        ]

    @property
    def alt_texts(self) -> list[str | None]:
        """For each picture, the description of its gallery item or else of its attachment."""
        described: dict[str, str | None] = {}
        for component, _ in limits.walk(self.components, []):
            for item in [*component.get("items", []), component]:
                if item.get("media") and item.get("description"):
                    described[item["media"]["url"]] = item["description"]
        return [described.get(file.url) or file.description for file in self.pictures]

    @property
    def buttons(self) -> list[Button]:
        return [
            Button(
                component.get("custom_id"),
                component.get("label", ""),
                (component.get("emoji") or {}).get("name", ""),
                component["style"],
                bool(component.get("disabled")),
                component.get("url"),
            )
            for component, _ in limits.walk(self.components, [])
            if component["type"] == limits.BUTTON
        ]

    @property
    def selects(self) -> list[Select]:
        return [
            Select(
                component["custom_id"],
                component.get("placeholder", ""),
                component.get("options", []),
                component["min_values"],
                component["max_values"],
                bool(component.get("disabled")),
                component["type"],
                [value["id"] for value in component.get("default_values", [])],
            )
            for component, _ in limits.walk(self.components, [])
            if component["type"] in limits.SELECTS
        ]

    async def wait_for_edit(self, within: float | None = None) -> "Reply":
        """Waits until the message is edited or deleted."""
        before = self.message.edits
        done = lambda: self.message.edits > before or self.message.deleted  # noqa: E731
        await self._server.wait_until(done, "the message was not edited", within)
        return self

    async def wait_for_pictures(self) -> "Reply":
        """Waits until the message shows pictures; a busy bot first reports the queue position."""
        await self._server.wait_until(lambda: self.pictures, "the message shows no picture")
        return self

    async def fetch(self, attachment: Attachment) -> bytes:
        """Downloads the attachment over HTTP. Raises BotError if its URL fails."""
        async with aiohttp.ClientSession() as session, session.get(attachment.url) as response:
            if response.status != 200:
                raise BotError(f"{attachment.filename}: its URL answers {response.status}")
            return await response.read()


class Modal:
    """A modal that the bot opened; `UserClient.submit` sends it."""

    def __init__(self, interaction: Interaction, data: dict[str, Any]) -> None:
        self.interaction = interaction
        self.custom_id: str = data["custom_id"]
        self.title: str = data["title"]
        self.components: list[dict[str, Any]] = data["components"]

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        """Input components by label."""
        found = {}
        for component in self.components:
            if component["type"] == limits.LABEL:
                found[component["label"]] = component["component"]
            else:
                for child in component.get("components", []):
                    found[child.get("label") or child["custom_id"]] = child
        return found
