"""Builds messages from request bodies: files, references to them, components."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from . import limits
from .attachments import Attachment
from .errors import ApiError, Form
from .ids import now_iso
from .model import COMPONENTS_V2, EPHEMERAL, LOADING, Message

Json = dict[str, Any]
EDITABLE_FLAGS = COMPONENTS_V2 | 1 << 2  # SUPPRESS_EMBEDS
CREATE_FLAGS = EDITABLE_FLAGS | EPHEMERAL | 1 << 12 | 1 << 13  # silent, voice message
NewFile = Callable[[str, bytes, str | None], Attachment]


def write(
    message: Message,
    data: Json,
    files: dict[int, tuple[str, bytes]],
    *,
    form: Form,
    path: list[str | int],
    new_file: NewFile,
    report: Callable[[str], None],
) -> None:
    """Writes a request body into a new or edited message.

    `message` is unchanged if the body is invalid. `report` is called for content that Discord
    accepts but does not show. Raises ApiError (50035, 50006).
    """
    flags = message.flags & ~LOADING | (data.get("flags") or 0) & EDITABLE_FLAGS
    v2 = bool(flags & COMPONENTS_V2)
    result = {
        "content": data.get("content", message.content),
        "embeds": data.get("embeds", message.embeds),
        "components": data.get("components"),
        "attachments": data.get("attachments"),
        "poll": data.get("poll"),
        "sticker_ids": data.get("sticker_ids"),
    }
    old_components = message.components if "components" not in data else []
    was_v2 = bool(message.flags & COMPONENTS_V2)
    if v2 and not was_v2 and old_components:
        result["components"], old_components = old_components, []
    limits.check_message(form, result, path, v2=v2)
    kept = _files(message, data, files, form, path, new_file)
    reader = References(kept, form, report)
    embeds = message.embeds
    if "embeds" in data:
        embeds = [
            reader.embed(embed, [*path, "embeds", n])
            for n, embed in enumerate(data["embeds"] or [])
        ]
    components = old_components
    if result["components"]:
        components = reader.components(result["components"], [*path, "components"])
    form.check()
    content = result["content"] or ""
    if not (content or embeds or components or kept or data.get("poll")):
        raise ApiError(50006)

    shown = {file.id for file in kept if _shows(embeds, file) or _shows(components, file)}
    for file in message.files:
        if file not in kept:
            file.removed = True
            if _shows(embeds, file) or _shows(components, file):
                report(f"the edit dropped {file.filename}, which the message still shows")
    if v2:
        for file in kept:
            if file.id not in shown:
                report(f"{file.filename} is in no component, so it is not shown")
    message.content, message.embeds, message.components = content, embeds, components
    message.files, message.shown, message.flags = kept, shown, flags


def mark_edited(message: Message) -> None:
    message.edits += 1
    message.edited = now_iso()


def _files(
    message: Message,
    data: Json,
    files: dict[int, tuple[str, bytes]],
    form: Form,
    path: list[str | int],
    new_file: NewFile,
) -> list[Attachment]:
    """The attachments of the message after the request."""
    old = {file.id: file for file in message.files}
    listed = data.get("attachments")
    kept = list(message.files) if listed is None else []
    described: dict[int, Json] = {}
    for index, entry in enumerate(listed or []):
        number = int(entry.get("id", -1))
        if number in old:
            kept.append(old[number])
            if entry.get("description"):
                old[number].description = entry["description"]
        elif number in files:
            described[number] = entry
        else:
            form.add(
                [*path, "attachments", index, "id"],
                "ATTACHMENT_NOT_FOUND",
                f"No file with the number {number} was uploaded or is in the message",
            )
    for number, (name, content) in sorted(files.items()):
        entry = described.get(number, {})
        name = re.sub(r"[^\w.\-]", "_", entry.get("filename") or name)
        kept.append(new_file(name, content, entry.get("description")))
    if len(kept) > limits.FILES:
        form.too_long([*path, "attachments"], limits.FILES)
    return kept


def _shows(tree: Any, file: Attachment) -> bool:
    return file.url in repr(tree)


class References:
    """Converts request bodies to response bodies: `attachment://` becomes a signed URL."""

    def __init__(self, files: list[Attachment], form: Form, report: Callable[[str], None]) -> None:
        self.by_name = {file.filename: file for file in files}
        self.by_url = {file.url: file for file in files}
        self.form = form
        self.report = report
        self.next_id = 0

    def find(self, url: str, path: list[str | int]) -> Attachment | None:
        if url.startswith("attachment://"):
            name = url.removeprefix("attachment://")
            if name not in self.by_name:
                self.form.add(
                    path,
                    "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                    f"The referenced attachment was not found (attached: {sorted(self.by_name)})",
                )
            return self.by_name.get(name)
        if url in self.by_url:
            return self.by_url[url]
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            reason = f'Scheme "{parts.scheme}" is not supported. Must be one of (http, https).'
            self.form.add(path, "URL_TYPE_INVALID_SCHEME", reason)
        elif parts.hostname in ("localhost", "127.0.0.1", "::1", "0.0.0.0"):
            self.report(f"Discord cannot fetch {url}: it is on the bot's own loopback address")
        return None

    def embed(self, embed: Json, path: list[str | int]) -> Json:
        result: Json = without_nulls(embed)
        result["type"] = embed.get("type") or "rich"
        for part, key in (
            ("image", "url"),
            ("thumbnail", "url"),
            ("author", "icon_url"),
            ("footer", "icon_url"),
        ):
            url = (embed.get(part) or {}).get(key)
            if not url:
                continue
            file = self.find(url, [*path, part, key])
            shown = dict(embed[part])
            if file is not None:
                proxy = "proxy_url" if key == "url" else "proxy_icon_url"
                shown |= {key: file.url, proxy: file.url}
                if key == "url" and file.width is not None:
                    shown |= {"width": file.width, "height": file.height}
            result[part] = shown
        result["fields"] = [{"inline": False} | field for field in result.get("fields", [])]
        return result

    def components(self, components: list[Json], path: list[str | int]) -> list[Json]:
        taken = {c["id"] for c, _ in limits.walk(components, path) if c.get("id")}
        return [self._component(c, [*path, n], taken) for n, c in enumerate(components)]

    def _component(self, sent: Json, path: list[str | int], taken: set[int]) -> Json:
        result: Json = without_nulls(sent)
        defaults: Json = {}
        if not sent.get("id"):
            self.next_id += 1
            while self.next_id in taken:
                self.next_id += 1
            result["id"] = self.next_id
        kind = sent.get("type")
        if kind in limits.SELECTS:
            defaults = {"min_values": 1, "max_values": 1}
            result.pop("required", None)
            for value in result.get("default_values", []):
                value["id"] = str(value["id"])
        elif kind == limits.CONTAINER:
            defaults = {"accent_color": None, "spoiler": False}
        elif kind == limits.SEPARATOR:
            defaults = {"spacing": 1, "divider": True}
        elif kind == limits.THUMBNAIL:
            defaults = {"description": None, "spoiler": False}
            result["media"] = self._media(sent.get("media"), [*path, "media", "url"])
        elif kind == limits.FILE:
            defaults = {"spoiler": False, "name": None, "size": None}
            result["file"] = self._media(sent.get("file"), [*path, "file", "url"])
        elif kind == limits.GALLERY:
            result["items"] = [
                {"description": item.get("description"), "spoiler": bool(item.get("spoiler"))}
                | {"media": self._media(item.get("media"), [*path, "items", n, "media", "url"])}
                for n, item in enumerate(sent.get("items") or [])
            ]
        if isinstance(sent.get("components"), list):
            children = enumerate(sent["components"])
            result["components"] = [
                self._component(child, [*path, "components", n], taken) for n, child in children
            ]
        if isinstance(sent.get("accessory"), dict):
            result["accessory"] = self._component(sent["accessory"], [*path, "accessory"], taken)
        return defaults | result

    def _media(self, media: Any, path: list[str | int]) -> Json:
        url = str((media or {}).get("url", ""))
        file = self.find(url, path)
        if file is not None:
            return file.media()
        return {"id": "0", "url": url, "proxy_url": url, "width": None, "height": None}


def without_nulls(sent: Any) -> Any:
    """A copy without null fields at any depth: Discord omits them."""
    if isinstance(sent, dict):
        return {key: without_nulls(value) for key, value in sent.items() if value is not None}
    return [without_nulls(value) for value in sent] if isinstance(sent, list) else sent
