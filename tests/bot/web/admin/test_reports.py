"""The queue of reported pictures."""

from bot.studio import Request, Studio
from db.records import Owner

from ..conftest import Client
from .conftest import page, post

REPORTER = Owner("discord", "2", "Ren")


async def test_reports_are_dismissed_or_end_with_the_picture(
    admin: Client, studio: Studio, owner: Owner
) -> None:
    assert "No reports are open" in await page(admin, "/admin/reports")
    first, second = await studio.painting.create("", Request(owner), count=2)
    await studio.reports.report(first.id, REPORTER, "<rude>")
    await studio.reports.report(second.id, REPORTER)
    text = await page(admin, "/admin/reports")
    assert text.index(first.id) < text.index(second.id)
    assert "&lt;rude&gt;" in text
    await post(admin, f"/admin/reports/{first.id}/dismiss")
    text = await page(admin, "/admin/reports")
    assert first.id not in text
    assert second.id in text
    await post(admin, f"/admin/pictures/{second.id}/hide")
    assert "No reports are open" in await page(admin, "/admin/reports")
    await post(admin, f"/admin/pictures/{second.id}/show")
    assert "No reports are open" in await page(admin, "/admin/reports")
    await post(admin, "/admin/reports/22222222/dismiss", 404)


async def test_guests_do_not_see_reports(guest: Client) -> None:
    async with guest.get("/admin/reports", allow_redirects=False) as answer:
        assert answer.status != 200
