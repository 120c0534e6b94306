"""Everything that is kept of one member, packed to take away."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bot.errors import NotFound
from db.store import Avatar, GalleryQuery, Owner, Store

ROOM = 8192  # bytes that an avatar takes at most beside its picture: its data, the zip's own
PAGE = 100  # avatars read at once


@dataclass(frozen=True, slots=True)
class Takeout:
    """Part `part` of `parts`, counted from 1; `data` is a whole zip."""

    data: bytes
    part: int
    parts: int


async def pack(store: Store, owner: Owner, part: int, limit_bytes: int) -> Takeout:
    """A zip of at most `limit_bytes`: pictures, and `avatars.json` with all that is known of them;
    in the first part `favourites.json` and `settings.json` as well.

    Raises NotFound for a part that there is not.
    """
    parts: list[list[str]] = [[]]
    filled = 0
    for id, size in await store.sizes(owner):
        if parts[-1] and filled + size + ROOM > limit_bytes:
            parts.append([])
            filled = 0
        parts[-1].append(id)
        filled += size + ROOM
    if not 1 <= part <= len(parts):
        raise NotFound("takeout-no-part")
    files: dict[str, Any] = {"avatars.json": []}
    ids = parts[part - 1]
    for start in range(0, len(ids), PAGE):
        for avatar, picture in await store.with_pictures(ids[start : start + PAGE]):
            name = f"pictures/{avatar.id}.{avatar.format}"
            files[name] = picture
            files["avatars.json"].append({"picture": name, **_described(avatar)})
    if part == 1:
        files["favourites.json"] = [id async for id in _favourites(store, owner)]
        files["settings.json"] = asdict(await store.desk.settings(owner))
    return Takeout(await asyncio.to_thread(_zip, files), part, len(parts))


def _zip(files: Mapping[str, Any]) -> bytes:
    """Pictures as they are, all else as JSON."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            if isinstance(content, bytes):
                archive.writestr(name, content, zipfile.ZIP_STORED)
            else:
                archive.writestr(name, json.dumps(content, ensure_ascii=False, indent=1))
    return file.getvalue()


async def _favourites(store: Store, owner: Owner) -> AsyncIterator[str]:
    cursor = None
    while True:
        query = GalleryQuery("favourites", owner, None, {}, PAGE, cursor)
        page = await store.gallery(query)
        for avatar in page.avatars:
            yield avatar.id
        cursor = page.older
        if cursor is None:
            return


def _described(avatar: Avatar) -> dict[str, Any]:
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
        "favourites": avatar.favourites,
        "width": avatar.width,
        "height": avatar.height,
        "latent": [round(float(z), 4) for z in avatar.latent],
    }
