"""Converts the studio's records to the schemas of the API."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from bot.web.api import schemas
from bot.web.keys import SETTINGS
from db.records import Avatar, PairCount

Body = BaseModel | Sequence[BaseModel]


def json_response(
    body: Body, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.json_response(_plain(body), status=status, headers=headers)


def base_url(request: web.Request) -> str:
    """The prefix of URLs: `web.public_url`, or nothing, so that URLs are paths."""
    return request.app[SETTINGS].public_url.rstrip("/")


def avatar_body(avatar: Avatar, base: str) -> schemas.Avatar:
    """The avatar as the API shows it; its URLs begin with `base`."""
    return schemas.Avatar(**_fields(avatar, base), parents=list(avatar.parents))


def avatar_bodies(avatars: Iterable[Avatar], base: str) -> list[schemas.Avatar]:
    return [avatar_body(avatar, base) for avatar in avatars]


def family_body(
    avatar: Avatar, base: str, relation: tuple[bool, bool], **relatives: Iterable[Avatar]
) -> schemas.AvatarWithFamily:
    """`relation` is whether it is the visitor's favorite, and whether the visitor owns it;
    `relatives` are parents, children and siblings.
    """
    favorite, own = relation
    families: dict[str, Any] = {
        kind: avatar_bodies(avatars, base) for kind, avatars in relatives.items()
    }
    return schemas.AvatarWithFamily(
        **_fields(avatar, base), **families, favourite=favorite, own=own
    )


def cell_body(cell: PairCount, base: str) -> schemas.Cell:
    return schemas.Cell(
        count=cell.count,
        id=cell.newest,
        url=f"{base}/a/{cell.newest}",
        thumb_url=f"{base}/thumbs/{cell.newest}.webp",
    )


def has_cached(request: web.Request, tag: str) -> bool:
    """Whether If-None-Match says that the browser has the version with this ETag."""
    return any(known.value in (tag, "*") for known in request.if_none_match or ())


def _fields(avatar: Avatar, base: str) -> dict[str, Any]:
    return {
        "id": avatar.id,
        "prompt": avatar.prompt,
        "wish": dict(avatar.wish),
        "conditions": dict(avatar.conditions),
        "seed": avatar.seed,
        "model": avatar.model,
        "url": f"{base}/a/{avatar.id}",
        "image_url": f"{base}/images/{avatar.id}.png",
        "thumb_url": f"{base}/thumbs/{avatar.id}.webp",
        "width": avatar.width,
        "height": avatar.height,
        "created": avatar.created.isoformat(),
        "favourites": avatar.favorites,
        "choices": avatar.choices,
    }


def _plain(body: Body) -> Any:
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json", exclude_unset=True)
    return [_plain(part) for part in body]
