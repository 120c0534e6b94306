"""Reports of pictures by visitors."""

import pytest

from bot.studio import Request, Studio
from bot.web.visitors import COOKIE
from db.records import Owner

from ..conftest import Client, Serve
from .conftest import paint


async def report(client: Client, id: str, **body: object) -> int:
    async with client.post(f"/api/avatars/{id}/report", json=body) as answer:
        return answer.status


async def test_a_visitor_reports_a_picture_once(client: Client, studio: Studio) -> None:
    (avatar,) = await paint(client)
    client.session.cookie_jar.clear()
    async with client.post(f"/api/avatars/{avatar['id']}/report", json={}) as answer:
        assert answer.status == 204
        assert COOKIE in answer.cookies
    assert await report(client, avatar["id"], reason="not nice") == 204
    [reported] = await studio.reports.open()
    assert (reported.count, reported.reasons) == (1, ("not nice",))


async def test_only_the_printable_characters_of_a_reason_are_stored(
    client: Client, studio: Studio
) -> None:
    (avatar,) = await paint(client)
    assert await report(client, avatar["id"], reason=" not\0 \n nice\u202e") == 204
    [reported] = await studio.reports.open()
    assert reported.reasons == ("not nice",)


@pytest.mark.parametrize(
    ("body", "status"), [({"reason": "x" * 301}, 400), ({"reason": 1}, 400), ({"why": ""}, 400)]
)
async def test_wrong_reports_are_refused(
    client: Client, body: dict[str, object], status: int
) -> None:
    (avatar,) = await paint(client)
    assert await report(client, avatar["id"], **body) == status


async def test_private_pictures_and_floods_are_refused(
    serve: Serve, studio: Studio, owner: Owner
) -> None:
    client = await serve(paint_per_minute=2)
    (private,) = await studio.painting.create("", Request(owner, private=True))
    (public,) = await studio.painting.create("", Request(owner))
    assert await report(client, private.id) == 404
    assert await report(client, public.id) == 204
    assert await report(client, public.id) == 429
    assert (await studio.reports.open())[0].count == 1


async def test_an_owner_has_a_limited_number_of_open_reports(
    serve: Serve, studio: Studio, owner: Owner
) -> None:
    client = await serve(paint_per_minute=0)
    avatars = [
        avatar
        for _ in range(3)
        for avatar in await studio.painting.create("", Request(owner), count=9)
    ]
    statuses = [await report(client, avatar.id) for avatar in avatars]
    assert statuses == [204] * 20 + [403] * 7
    await studio.reports.dismiss(avatars[0].id)
    assert await report(client, avatars[-1].id) == 204
