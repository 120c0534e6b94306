"""The database, the models and the settings file of version 0.2 are read unchanged."""

import base64
import dataclasses
import hashlib
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import version_0_2
from PIL import Image
from png_recipes import without_recipe
from version_0_2 import DISCORD, EXPECTED

import config
from bot.passwords import PasswordHash
from bot.settings import Settings
from bot.studio import Request, Studio
from bot.web import visitors
from db.records import Avatar, GalleryQuery, MemberSettings, Owner, Scope, Sort
from db.store import Store
from export.registry import Registry
from train.settings import TrainingSettings

MIKA = Owner("discord", str(DISCORD["members"]["Mika"]))
REN = Owner("discord", str(DISCORD["members"]["Ren"]))
GUILD = str(DISCORD["guild"])


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(version_0_2.copy_models(tmp_path))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(version_0_2.copy_database(tmp_path))
    yield store
    await store.close()


def as_recorded(avatar: Avatar) -> dict[str, Any]:
    fields = dataclasses.asdict(avatar)
    assert fields.pop("choices") is None, "0.2 had no searches"
    return fields | {
        "favourites": fields.pop("favorites"),
        "created": avatar.created.isoformat(),
        "latent": [round(float(z), 4) for z in avatar.latent],
        "condition": avatar.condition.tolist(),
        "parents": list(avatar.parents),
    }


async def test_the_galleries_list_every_avatar(studio: Studio) -> None:
    async def ids(scope: Scope, viewer: Owner | None = None, sort: Sort = "new") -> list[str]:
        query = GalleryQuery(scope, viewer, GUILD, {}, limit=100, sort=sort)
        return [avatar.id for avatar in (await studio.gallery.page(query)).avatars]

    query = GalleryQuery("everyone", None, None, {}, limit=100)
    public = (await studio.gallery.page(query)).avatars
    assert [as_recorded(avatar) for avatar in public] == EXPECTED["avatars"]
    assert await ids("mine", MIKA) == EXPECTED["mine"]
    assert await ids("mine", REN) == EXPECTED["rens"]
    assert await ids("favourites", MIKA) == EXPECTED["favourites"]
    assert await ids("guild", MIKA) == EXPECTED["guild"]
    assert await ids("everyone", sort="loved") == EXPECTED["loved"]
    assert await ids("hidden") == EXPECTED["hidden"]
    assert EXPECTED["deleted"] not in await ids("everyone")
    assert await studio.gallery.count({"hair": "pink"}) == sum(
        avatar["conditions"]["hair"] == "pink" for avatar in EXPECTED["avatars"]
    )


async def test_pictures_and_thumbnails_are_unchanged(studio: Studio) -> None:
    for avatar in EXPECTED["avatars"]:
        picture = await studio.avatars.picture(avatar["id"], None)
        assert hashlib.sha256(without_recipe(picture.data)).hexdigest() == avatar["sha256"]
        assert Image.open(io.BytesIO(picture.data)).size == (avatar["width"], avatar["height"])
    thumbnail = await studio.avatars.thumbnail(EXPECTED["thumbnail_of"], None)
    assert thumbnail == base64.b64decode(EXPECTED["thumbnail"])


async def test_member_settings_server_limits_and_notes_are_read(
    studio: Studio, store: Store
) -> None:
    for owner, name in ((MIKA, "Mika"), (REN, "Ren")):
        assert await studio.members.settings(owner) == MemberSettings(**EXPECTED["settings"][name])
    for guild, limits in EXPECTED["limits"].items():
        read = dataclasses.asdict(await studio.guilds.limits(guild))
        read = {key: value for key, value in read.items() if key in limits}
        assert read == limits | {key: tuple(limits[key]) for key in ("channels", "exempt_roles")}
    assert await studio.guilds.blocked(GUILD) == EXPECTED["blocked"]
    used = await store.usage.since(MIKA, GUILD, datetime(2020, 1, 1, tzinfo=UTC))
    assert sum(usage.pictures for usage in used) == EXPECTED["usage"]
    assert await studio.notes.get("a note") == EXPECTED["note"]
    statistics = dataclasses.asdict(await studio.statistics())
    statistics["favourites"] = statistics["favorites"]
    assert {key: statistics[key] for key in EXPECTED["statistics"]} == EXPECTED["statistics"]


async def test_a_visitor_keeps_the_avatars_of_the_web_page(studio: Studio) -> None:
    visitor = visitors.owner_of(EXPECTED["visitor"]["token"])
    assert visitor.key == EXPECTED["visitor"]["key"]
    (public, _) = [
        avatar.id
        for avatar in (await studio.gallery.page(GalleryQuery("mine", visitor, None, {}))).avatars
    ][::-1]
    assert await studio.avatars.is_favorite(await studio.avatars.get(public, visitor), visitor)


async def test_models_paint_the_same_pictures(studio: Studio) -> None:
    """The same seed, wish and model give the same picture, also with an older model."""
    (before,) = [a for a in EXPECTED["avatars"] if a["seed"] == 7 and not a["parents"]]
    (after,) = await studio.painting.create("pink hair, orange eyes", Request(MIKA), seed=7)
    assert [round(float(z), 4) for z in after.latent] == before["latent"]
    images = [
        np.asarray(Image.open(io.BytesIO((await studio.avatars.picture(id, MIKA)).data))).astype(
            int
        )
        for id in (before["id"], after.id)
    ]
    assert np.abs(images[0] - images[1]).max() <= 1
    older = next(a for a in EXPECTED["avatars"] if a["model"] == "older")
    (recolored,) = await studio.family.recolor(older["id"], {"hair": "blonde"}, Request(MIKA))
    assert recolored.model == "older"
    assert [(m.name, m.problem) for m in await studio.models.all()] == [
        ("older", None),
        ("tiny", None),
    ]


async def test_everything_of_a_member_can_be_exported_and_deleted(studio: Studio) -> None:
    assert (await studio.exports.export(MIKA)).parts == 1
    assert await studio.members.delete_everything(MIKA) == len(EXPECTED["mine"])


def test_every_key_of_the_settings_file_keeps_its_meaning() -> None:
    file = version_0_2.FOLDER / "config.toml"
    recorded = json.loads((version_0_2.FOLDER / "settings.json").read_text("utf-8"))
    read = config.read(Settings, file)
    present = read.model_dump(mode="json")
    for section, keys in recorded.items():
        assert {key: present[section][key] for key in keys} == keys
    changed = read.model_dump(mode="json", include=set(recorded), exclude_defaults=True)
    assert changed.keys() == recorded.keys()
    assert config.read(TrainingSettings, file).train.images == 3_000_000
    assert PasswordHash.parse(read.web.admin_password_hash).matches("correct horse")
