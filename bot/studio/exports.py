"""Exports: everything that is stored about a member, as zip files."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.errors import NotFound
from bot.studio.animations import UPLOAD_BYTES
from db.records import Avatar, GalleryQuery, Owner
from db.store import Store

OVERHEAD = 8192  # bytes at most, of an avatar's JSON and its entry in the zip
PAGE = 100  # avatars read at once


@dataclass(frozen=True, slots=True)
class Export:
    """Part `part` of `parts`, counted from 1; `data` is a complete zip."""

    data: bytes
    part: int
    parts: int


class ExportService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def export(
        self, owner: Owner, *, part: int = 1, limit_bytes: int = UPLOAD_BYTES
    ) -> Export:
        """A zip of at most `limit_bytes`: pictures, and `avatars.json` with all data
        about them; in the first part also `favourites.json` and `settings.json`.

        Raises NotFound for a part that does not exist.
        """
        parts: list[list[str]] = [[]]
        filled = 0
        for id, size in await self._store.avatars.picture_sizes(owner):
            if parts[-1] and filled + size + OVERHEAD > limit_bytes:
                parts.append([])
                filled = 0
            parts[-1].append(id)
            filled += size + OVERHEAD
        if not 1 <= part <= len(parts):
            raise NotFound("export-no-part")
        files: dict[str, Any] = {"avatars.json": []}
        ids = parts[part - 1]
        for start in range(0, len(ids), PAGE):
            page = await self._store.avatars.with_pictures(ids[start : start + PAGE])
            for avatar, picture in page:
                name = f"pictures/{avatar.id}.{avatar.format}"
                files[name] = picture
                files["avatars.json"].append({"picture": name, **_as_json(avatar)})
        if part == 1:
            files["favourites.json"] = [id async for id in self._favorites(owner)]
            files["settings.json"] = asdict(await self._store.members.settings(owner))
        return Export(await asyncio.to_thread(_zip, files), part, len(parts))

    async def _favorites(self, owner: Owner) -> AsyncIterator[str]:
        cursor = None
        while True:
            query = GalleryQuery("favourites", owner, None, {}, PAGE, cursor)
            page = await self._store.galleries.page(query)
            for avatar in page.avatars:
                yield avatar.id
            cursor = page.older
            if cursor is None:
                return


def _zip(files: Mapping[str, Any]) -> bytes:
    """A zip of files: bytes as they are, other values as JSON."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            if isinstance(content, bytes):
                archive.writestr(name, content, zipfile.ZIP_STORED)
            else:
                archive.writestr(name, json.dumps(content, ensure_ascii=False, indent=1))
    return file.getvalue()


def _as_json(avatar: Avatar) -> dict[str, Any]:
    return {
        "id": avatar.id,
        "created": avatar.created.isoformat(),
        "name": avatar.owner.name,
        "guild": avatar.guild,
        "channel": avatar.channel,
        "private": avatar.private,
        "prompt": avatar.prompt,
        "wish": avatar.wish,
        "conditions": avatar.conditions,
        "seed": avatar.seed,
        "model": avatar.model,
        "parents": list(avatar.parents),
        "favourites": avatar.favorites,
        "width": avatar.width,
        "height": avatar.height,
        "latent": [round(float(z), 4) for z in avatar.latent],
    }
