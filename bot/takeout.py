"""Everything that is kept of one member, packed to take away."""

import io
import json
import zipfile
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
    parts: list[list[Avatar]] = [[]]
    filled = 0
    async for avatar in _own(store, owner):
        if parts[-1] and filled + avatar.bytes + ROOM > limit_bytes:
            parts.append([])
            filled = 0
        parts[-1].append(avatar)
        filled += avatar.bytes + ROOM
    if not 1 <= part <= len(parts):
        raise NotFound("takeout-no-part")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        described = []
        for avatar in parts[part - 1]:
            picture = await store.picture(avatar.id)
            if picture is not None:  # deleted meanwhile
                name = f"pictures/{avatar.id}.{picture.format}"
                archive.writestr(name, picture.data, zipfile.ZIP_STORED)
                described.append({"picture": name, **_described(avatar)})
        _write(archive, "avatars.json", described)
        if part == 1:
            _write(archive, "favourites.json", [id async for id in _favourites(store, owner)])
            _write(archive, "settings.json", asdict(await store.desk.settings(owner)))
    return Takeout(file.getvalue(), part, len(parts))


async def _own(store: Store, owner: Owner) -> Any:
    last = None
    while some := await store.of(owner, PAGE, last):
        for avatar in some:
            yield avatar
        last = some[-1]


async def _favourites(store: Store, owner: Owner) -> Any:
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


def _write(archive: zipfile.ZipFile, name: str, content: Any) -> None:
    archive.writestr(name, json.dumps(content, ensure_ascii=False, indent=1))
