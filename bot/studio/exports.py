"""Exports: everything that is stored about a member, as zip files."""

import asyncio
import io
import json
import math
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
SIZES = 1000  # sizes of pictures read at once


@dataclass(frozen=True, slots=True)
class Export:
    """Part `part` of `parts`, counted from 1; `data` is a complete zip.

    `last` is the id of the part's last avatar, None in the last part. Before that, `parts` is an
    estimate: the pictures of the next parts may be larger or smaller, and only so many avatars are
    counted.
    """

    data: bytes
    part: int
    parts: int
    last: str | None


class ExportService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def export(
        self,
        owner: Owner,
        *,
        part: int = 1,
        after: str | None = None,
        limit_bytes: int = UPLOAD_BYTES,
    ) -> Export:
        """A zip of at most `limit_bytes`: pictures, and `avatars.json` with all data
        about them; in the first part also `favourites.json`, `reports.json` and
        `settings.json`, and `community.json` if the owner takes part in something.

        `after` is the `last` of the part before; without it, the parts before are read again.
        Raises NotFound for a part that does not exist.
        """
        if part < 1:
            raise NotFound("export-no-part")
        ids: list[str] = []
        more = True
        for number in range(part if after is None else 1):
            if number:
                after = ids[-1]
            ids, more = await self._next_part(owner, after, limit_bytes)
            if not ids and part > 1:
                raise NotFound("export-no-part")
        parts = part
        if more:
            parts += math.ceil(await self._store.avatars.count_own(owner, ids[-1]) / len(ids))
        files: dict[str, Any] = {"avatars.json": []}
        for start in range(0, len(ids), PAGE):
            page = await self._store.avatars.with_pictures(ids[start : start + PAGE])
            for avatar, picture in page:
                name = f"pictures/{avatar.id}.{avatar.format}"
                files[name] = picture
                files["avatars.json"].append({"picture": name, **_as_json(avatar)})
        if part == 1:
            files["favourites.json"] = [id async for id in self._favorites(owner)]
            files["reports.json"] = [
                {"id": id, "reason": reason} for id, reason in await self._store.reports.by(owner)
            ]
            community = await self._store.community.of_owner(owner)
            if any(community.values()):
                files["community.json"] = community
            files["settings.json"] = asdict(await self._store.members.settings(owner))
        data = await asyncio.to_thread(_zip, files)
        return Export(data, part, parts, ids[-1] if more else None)

    async def _next_part(
        self, owner: Owner, after: str | None, limit_bytes: int
    ) -> tuple[list[str], bool]:
        """The ids of the avatars of one part, and whether there are more."""
        ids: list[str] = []
        filled = 0
        while True:
            last = ids[-1] if ids else after
            page = await self._store.avatars.picture_sizes(owner, last, SIZES)
            for id, size in page:
                filled += size + OVERHEAD
                if ids and filled > limit_bytes:
                    return ids, True
                ids.append(id)
            if len(page) < SIZES:
                return ids, False

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
        "choices": avatar.choices,
        "favourites": avatar.favorites,
        "width": avatar.width,
        "height": avatar.height,
        "latent": [round(float(z), 4) for z in avatar.latent],
    }
