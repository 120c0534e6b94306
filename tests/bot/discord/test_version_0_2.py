"""Messages and pending replies of version 0.2 still work."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import version_0_2
from discord_server import DiscordServer, Reply, UserClient
from version_0_2 import DISCORD, EXPECTED, EarlierDiscord

from bot.studio import Studio
from db.records import Owner
from db.store import Store
from export.registry import Registry

from .conftest import Run


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(version_0_2.copy_models(tmp_path))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(version_0_2.copy_database(tmp_path))
    yield store
    await store.close()


@pytest.fixture
async def earlier(discord: DiscordServer) -> EarlierDiscord:
    return EarlierDiscord(discord)


@pytest.fixture
def mika(earlier: EarlierDiscord) -> UserClient:
    return earlier.members["Mika"]


@pytest.fixture
def ren(earlier: EarlierDiscord) -> UserClient:
    return earlier.members["Ren"]


@pytest.fixture
async def sent(
    run: Run, studio: Studio, store: Store, earlier: EarlierDiscord
) -> AsyncIterator[dict[str, Reply]]:
    """The messages of version 0.2 while the current bot runs; no reply is pending."""
    application = str(earlier.server.application_id)
    pending = await store.pending_replies.claim(application, datetime(2020, 1, 1, tzinfo=UTC))
    await store.pending_replies.resolve([reply.id for reply in pending])
    async with run(studio):
        yield earlier.messages


def selected_id(reply: Reply) -> str:
    """The id of the picture that the buttons act on."""
    button = next(b for b in reply.buttons if str(b.custom_id).startswith("irodori:again:"))
    return str(button.custom_id).rpartition(":")[2]


async def test_every_pending_reply_is_sent(
    run: Run, studio: Studio, store: Store, earlier: EarlierDiscord, mika: UserClient
) -> None:
    before = len(mika.messages())

    def all_sent() -> bool:
        replies = [reply for reply in earlier.pending.values() if reply is not None]
        return all(reply.attachments for reply in replies)

    async with run(studio):
        await earlier.server.wait_until(all_sent, "replies are still pending")
        await earlier.server.wait_until(
            lambda: len(mika.messages()) > before, "no reply to a mention"
        )
        (mention,) = mika.messages()[before:]
        await mention.wait_for_pictures()
    counts = {name: len(reply.pictures) for name, reply in earlier.pending.items() if reply}
    assert counts == {
        "create": 2,
        "create privately": 1,
        "again": 1,
        "recolour": 1,
        "variations": 9,
        "mix": 1,
        "sibling": 1,
        "me": 1,
        "me of another": 1,
        "morph": 1,
        "gif": 1,
        "mention with a reply": 1,
    }
    for order, painted in EXPECTED["painted"].items():
        avatars = await store.avatars.of_order(order)
        assert len(avatars) == len(painted), order
        for avatar, recorded in zip(avatars, painted, strict=True):
            assert [round(float(z), 4) for z in avatar.latent] == recorded["latent"]
            assert list(avatar.parents) == recorded["parents"]
            for field in ("seed", "conditions", "wish", "prompt", "private", "width", "model"):
                assert getattr(avatar, field) == recorded[field]
    replies = {name: reply for name, reply in earlier.pending.items() if reply is not None}
    assert replies["create privately"].ephemeral
    assert replies["gif"].attachments[0].filename.endswith(".gif")
    assert replies["morph"].attachments[0].filename.endswith(".webp")
    assert "青" in replies["again"].text or "髪" in replies["again"].text


async def test_buttons_below_pictures_work(
    sent: dict[str, Reply],
    discord: DiscordServer,
    studio: Studio,
    mika: UserClient,
    ren: UserClient,
) -> None:
    single, several = sent["single"], sent["several"]
    again = await mika.click(single, label="🎲")
    assert "pink hair, orange eyes" in again.text
    assert len(again.pictures) == 1
    assert len((await mika.click(single, label="✨")).pictures) == 9
    assert len((await mika.click(single, label="🎨")).selects) == 2
    assert (await mika.click(single, label="🧬")).selects[0].custom_id.startswith("irodori:with:")
    assert selected_id(single) in (await mika.click(single, label="ℹ️")).text
    await ren.click(several, label="♥️")
    assert [button.label for button in several.buttons if button.emoji == "♥️"] == ["2"]
    assert len((await ren.click(sent["child"], label="👯")).pictures) == 1
    assert "purple" in (await mika.click(sent["older"], label="🎲")).text
    for name in ("mention", "again", "me"):
        assert len((await mika.click(sent[name], label="🎲")).pictures) == 1
    assert (await ren.click(sent["private"], label="🎲")).ephemeral
    third = several.selects[0].options[2]["value"]
    await mika.select(several, None, [third])
    assert selected_id(several) == third
    await mika.click(several, label="🗑️")
    assert len(several.attachments) == 2
    await mika.click(single, label="🗑️")
    assert single.deleted


async def test_panels_and_galleries_work(
    sent: dict[str, Reply], studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    panel = sent["recolour"]
    await mika.select(panel, "irodori:colour:0", ["hair=black"])
    await mika.select(panel, "irodori:colour:1", ["eyes=blue"])
    assert "black hair, blue eyes" in (await mika.click(panel, label="Paint")).text
    partner = sent["with"].selects[0]
    mixed = await mika.select(sent["with"], partner.custom_id, [partner.options[0]["value"]])
    assert len(mixed.pictures) == 1
    assert len((await mika.click(sent["nearest"], label="🎲")).pictures) == 1
    gif = await mika.click(sent["morph"], label="🎞️")
    assert gif.attachments[0].data.startswith(b"GIF8")
    faces = [option["value"] for option in sent["morph"].selects[0].options]
    assert selected_id(await mika.select(sent["morph"], "irodori:open", faces[:1])) == faces[0]
    page = sent["gallery"]
    before = [option["value"] for option in page.selects[0].options]
    await mika.click(page, label="Next")
    after = [option["value"] for option in page.selects[0].options]
    assert not set(before) & set(after)
    form = await mika.click_for_modal(page, label="Id…")
    assert form.custom_id == DISCORD["modal"]
    assert selected_id(await mika.submit(form, id=before[0])) == before[0]
    await mika.select(page, "irodori:look:", ["favourites:loved"])
    assert {option["value"] for option in page.selects[0].options} == set(EXPECTED["favourites"])
    await ren.select(sent["loved"], "irodori:look:hair=black", ["everyone:new"])
    options = sent["loved"].selects[0].options
    assert len(options) > 1
    assert all("黒" in option["label"] for option in options)


async def test_settings_and_privacy_commands_use_the_stored_data(
    sent: dict[str, Reply], studio: Studio, mika: UserClient, earlier: EarlierDiscord
) -> None:
    sora, ren = earlier.members["Sora"], earlier.members["Ren"]
    await ren.select(sent["settings"], "irodori:set:size", ["64"])
    await ren.select(sent["settings"], "irodori:set:language", ["en"])
    await ren.select(sent["settings"], "irodori:set:private", ["yes"])
    settings = await studio.members.settings(Owner("discord", str(ren.id)))
    assert (settings.size, settings.language, settings.private) == (64, "en", True)
    assert (await sora.click(sent["privacy"], label="📦")).attachments[0].filename == "irodori.zip"
    await sora.click(sent["privacy"], label="Forget me")
    assert "Delete everything" in [button.label for button in sent["privacy"].buttons]
    await mika.click(sent["forget"], label="Delete everything")
    assert re.search(r"[0-9]+ pictures", sent["forget"].text)
