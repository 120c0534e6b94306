"""The load."""

import re

from bot.studio import Request, Studio
from db.records import Owner

from ..conftest import Client
from .conftest import page


async def test_viewing_the_load_does_not_count_as_load(
    admin: Client, studio: Studio, owner: Owner
) -> None:
    await studio.painting.create("hair:pink", Request(owner), count=3)
    first = await page(admin, "/admin/live")
    assert re.search(r"<dt>Pictures</dt><dd>3</dd>", first)
    assert re.search(r"<dt>Painting</dt><dd>[\d.,]+ ms", first)
    assert "<dt>Requests</dt><dd>–" in first  # requests of admins do not count
    async with admin.get("/gallery") as answer:
        assert answer.status == 200
    assert re.search(r"<dt>Requests</dt><dd>[\d.,]+ ms", await page(admin, "/admin/live"))
