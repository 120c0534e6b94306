"""Uploaded files: signed URLs that expire, and the route that serves them."""

import io
import mimetypes
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from PIL import Image, UnidentifiedImageError

from .ids import snowflake

FILE_LIFE = 24 * 3600  # seconds that an attachment's URL answers


@dataclass(eq=False)
class Attachment:
    """An uploaded file; `url` is signed, and valid until it expires or the file is removed."""

    filename: str
    data: bytes = field(repr=False)
    description: str | None
    base_url: str
    channel_id: int
    expires: int  # seconds since 1970
    spoiler: bool = False
    ephemeral: bool = False
    removed: bool = False
    id: int = field(default_factory=snowflake)
    signature: str = field(default_factory=lambda: secrets.token_hex(16))

    def __post_init__(self) -> None:
        self.content_type = mimetypes.guess_type(self.filename)[0] or "application/octet-stream"
        self.width: int | None = None
        self.height: int | None = None
        if self.content_type.startswith("image/"):
            try:
                with Image.open(io.BytesIO(self.data)) as image:
                    self.width, self.height = image.size
            except UnidentifiedImageError:
                pass

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def url(self) -> str:
        path = f"/attachments/{self.channel_id}/{self.id}/{self.filename}"
        return f"{self.base_url}{path}?ex={self.expires:x}&is=0&hm={self.signature}"

    def payload(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "id": str(self.id),
            "filename": self.filename,
            "size": self.size,
            "url": self.url,
            "proxy_url": self.url,
            "content_type": self.content_type,
        }
        if self.width is not None:
            fields |= {"width": self.width, "height": self.height}
        if self.description:
            fields["description"] = self.description
        if self.ephemeral:
            fields["ephemeral"] = True
        return fields

    def media(self) -> dict[str, Any]:
        """The media object of an embed or a component."""
        return {
            "id": str(self.id),
            "url": self.url,
            "proxy_url": self.url,
            "width": self.width,
            "height": self.height,
            "content_type": self.content_type,
            "attachment_id": str(self.id),
        }


class AttachmentStore:
    """The uploaded files, and the route that serves them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns seconds since 1970."""
        self.base_url = ""
        self._clock = clock
        self._files: dict[int, Attachment] = {}

    def add(
        self, filename: str, data: bytes, description: str | None, channel: int, *, ephemeral: bool
    ) -> Attachment:
        """Stores a file that was uploaded to the channel of that id."""
        expires = int(self._clock() + FILE_LIFE)
        file = Attachment(
            filename, data, description, self.base_url, channel, expires, ephemeral=ephemeral
        )
        self._files[file.id] = file
        return file

    async def serve(self, request: web.Request) -> web.Response:
        file = self._files.get(int(request.match_info["id"]))
        signed = file is not None and request.query.get("hm") == file.signature
        if file is None or not signed or file.removed or self._clock() > file.expires:
            return web.Response(status=404, text="This content is no longer available.")
        if unquote(request.match_info["name"]) != file.filename:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=file.data, content_type=file.content_type)
