import pytest
from discord_server import UserClient
from tiny_model import EYES, add_model

from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import Avatar, GalleryQuery, Owner, Scope
from db.store import Store
from export.manifest import Attribute
from export.registry import Registry

from .conftest import avatar_id

pytestmark = pytest.mark.usefixtures("bot")


async def stored_avatars(
    store: Store, scope: Scope = "everyone", owner: Owner | None = None
) -> list[Avatar]:
    query = GalleryQuery(scope, owner, None, {}, limit=100)
    return (await store.galleries.page(query)).avatars


async def test_again_paints_the_same_wish_with_a_new_seed(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    first = await mika.slash("avatar", hair="pink", seed=7)
    second = await ren.click(first, label="🎲")
    assert second.id != first.id
    assert not second.ephemeral
    assert "pink hair" in second.text
    assert f"<@{ren.id}>" in second.text
    avatar = await studio.avatars.get(avatar_id(second), None)
    assert avatar.owner.key == str(ren.id)
    assert avatar.seed != 7
    assert avatar.wish == {"hair": "pink"}
    assert avatar.parents == (avatar_id(first),)


async def test_again_of_a_private_avatar_stays_private(
    store: Store, mika: UserClient, ren: UserClient
) -> None:
    first = await mika.slash("avatar", hair="pink", private=True)
    second = await mika.click(first, label="🎲")
    assert second.ephemeral
    assert not ren.can_see(second)
    assert await stored_avatars(store) == []


async def test_again_offers_the_nearest_known_values_after_a_change_of_model(
    registry: Registry, engine: Engine, studio: Studio, mika: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink", eyes="red")
    hair = Attribute(name="hair", values=("green", "rosewood", "red"), frequencies=(0.4, 0.3, 0.3))
    add_model(registry, "later", (hair, EYES))
    registry.use("later")
    assert await engine.refresh()
    offer = await mika.click(reply, label="🎲")
    assert offer.ephemeral
    assert "does not know pink hair" in offer.text
    assert [button.label for button in offer.buttons] == ["red hair, red eyes"]
    painted = await mika.click(offer, label="🎲")
    assert not painted.ephemeral
    assert "red hair, red eyes" in painted.text
    assert (await studio.avatars.get(avatar_id(painted), None)).model == "later"


async def test_the_nearest_of_many_values_fits_on_a_button(
    registry: Registry, engine: Engine, studio: Studio, mika: UserClient
) -> None:
    def attributes(word: str) -> tuple[Attribute, ...]:
        return tuple(
            Attribute(name=f"thing{i}", values=(f"{word} thing {i}" * 3, "x"), frequencies=(1, 0))
            for i in range(8)
        )

    add_model(registry, "old", attributes("one_long_word"))
    registry.use("old")
    assert await engine.refresh()
    wish = {attribute.name: attribute.values[0] for attribute in attributes("one_long_word")}
    mine = Owner("discord", str(mika.id))
    (avatar,) = await studio.painting.create(wish, Request(mine))
    add_model(registry, "new", attributes("one_long_werd"))
    registry.use("new")
    assert await engine.refresh()
    offer = await mika.click(await mika.slash("show", id=avatar.id), label="🎲")
    (button,) = offer.buttons
    assert str(button.label).startswith("one_long_werd")
    painted = await mika.click(offer, label="🎲")
    assert (await studio.avatars.get(avatar_id(painted), None)).model == "new"


async def test_again_offers_random_values_if_no_value_is_near(
    registry: Registry, engine: Engine, studio: Studio, mika: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink")
    hats = Attribute(name="hat", values=("straw", "top"), frequencies=(0.5, 0.5))
    add_model(registry, "hatted", (hats,))
    registry.use("hatted")
    assert await engine.refresh()
    offer = await mika.click(reply, label="🎲")
    assert [button.label for button in offer.buttons] == ["anything"]
    painted = await mika.click(offer, label="🎲")
    assert (await studio.avatars.get(avatar_id(painted), None)).wish == {}
