"""Gallery pages sent before a restart or by an earlier version."""

from discord_server import Reply, UserClient

from bot.studio import Request, Studio
from db.records import Owner

from ..conftest import Run


def ids(reply: Reply) -> list[str]:
    return [o["value"] for s in reply.selects if s.custom_id == "irodori:open" for o in s.options]


async def test_page_buttons_and_forms_work_after_a_restart(
    run: Run, studio: Studio, mika: UserClient
) -> None:
    created = [a.id for a in await studio.painting.create({}, Request(Owner("web", "x")), count=9)]
    (newest,) = await studio.painting.create({}, Request(Owner("web", "x")))
    async with run(studio):
        page = await mika.slash("gallery", sort="loved")
        form = await mika.click_for_modal(page, label="Id…")
    async with run(studio):
        card = await mika.submit(form, id=newest.id)
        assert [picture.filename for picture in card.pictures] == [f"irodori-{newest.id}.png"]
        await mika.click(page, label="Next")
        assert ids(page) == [created[0]]


async def test_page_buttons_of_earlier_versions_still_work(
    run: Run, studio: Studio, mika: UserClient
) -> None:
    created = [
        a.id
        for a in await studio.painting.create({"hair": "pink"}, Request(Owner("web", "x")), count=9)
    ]
    await studio.painting.create({"hair": "black"}, Request(Owner("web", "x")))
    await studio.painting.create({"hair": "pink"}, Request(Owner("web", "x")))
    async with run(studio):
        page = await mika.slash("gallery", hair="pink")
        older = next(button.custom_id for button in page.buttons if button.label == "Next")
        _, _, cursor, colors = str(older).rsplit(":", 3)
        for row in page.components:
            for component in row.get("components", []):
                if component.get("custom_id") == older:
                    component["custom_id"] = f"irodori:page:everyone:{cursor}:{colors}"
        await mika.click(page, label="Next")
    assert ids(page) == [created[0]]
