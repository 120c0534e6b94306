"""Sessions, logins and requests that are rejected."""

import asyncio
import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from bot.passwords import PasswordHash
from bot.studio import Request, Studio
from bot.web.admin import sessions
from bot.web.admin.sessions import SESSIONS
from db.records import Owner

from ..conftest import Client, Serve
from .conftest import HASH, HTML, JSON, PASSWORD, log_in, page, post

PAGES = ["/admin", "/admin/live", "/admin/runs", "/admin/runs/faces", "/admin/pictures"]


PAGES += ["/admin/models/tiny"]


CHANGES = ["/admin/models/tiny/use", "/admin/rollback", "/admin/pictures/22222222/hide"]


@pytest.mark.parametrize("path", [*PAGES, "/admin/login", "/admin/"])
async def test_without_a_password_there_is_no_admin(client: Client, path: str) -> None:
    await page(client, path, 404)
    assert await log_in(client) == 404


@pytest.mark.parametrize(
    "path", [*PAGES, "/admin/thumbs/22222222.webp", "/admin/runs/faces/samples-000001k.png"]
)
async def test_without_a_session_only_the_login_is_shown(guest: Client, path: str) -> None:
    text = await page(guest, path, 403)
    assert 'type="password"' in text
    assert "tiny" not in text.replace(f'value="{path}"', "")
    async with guest.get(path) as answer:
        assert answer.status == 403
        assert set(await answer.json()) == {"error"}


@pytest.mark.parametrize("path", CHANGES)
async def test_without_a_session_nothing_can_be_changed(guest: Client, path: str) -> None:
    assert set(await post(guest, path, 403)) == {"error"}


async def test_the_session_cookie_is_restricted(serve: Serve) -> None:
    client = await serve(admin_password_hash=HASH, public_url="https://faces.example.org")
    async with client.post(
        "/admin/login", data={"password": PASSWORD, "to": "/admin/live"}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/admin/live"
        cookie = answer.cookies[sessions.COOKIE]
    assert cookie["httponly"]
    assert cookie["secure"]
    assert (cookie["samesite"], cookie["path"]) == ("Strict", "/admin")


@pytest.mark.parametrize("to", ["https://example.org/", "//example.org", "/admin/../a", "/", ""])
async def test_the_login_redirects_to_admin_pages_only(guest: Client, to: str) -> None:
    async with guest.post(
        "/admin/login", data={"password": PASSWORD, "to": to}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/admin"


async def test_logout_ends_the_session_in_every_browser(admin: Client) -> None:
    cookies = {c.key: c.value for c in admin.session.cookie_jar}
    old_cookie = {"Cookie": f"{sessions.COOKIE}={cookies[sessions.COOKIE]}"}
    async with admin.post("/admin/logout", allow_redirects=False) as answer:
        assert answer.status == 303
    await page(admin, "/admin", 403)
    async with admin.get("/admin", headers=HTML | old_cookie) as answer:
        assert answer.status == 403


async def test_sessions_outlive_a_restart_but_not_the_password(
    serve: Serve, admin: Client, runs: Path
) -> None:
    [cookie] = [c for c in admin.session.cookie_jar if c.key == sessions.COOKIE]
    sent = HTML | {"Cookie": f"{sessions.COOKIE}={cookie.value}"}
    another = str(PasswordHash.of(PASSWORD, PasswordHasher(1, 8, 1)))
    for hash, status in ((HASH, 200), (another, 403)):
        client = await serve(admin_password_hash=hash, runs=runs)
        async with client.get("/admin", headers=sent) as answer:
            assert answer.status == status


async def test_sessions_cannot_be_forged_or_extended(
    serve: Serve, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    [cookie] = [c for c in admin.session.cookie_jar if c.key == sessions.COOKIE]
    expiry, number, signature = cookie.value.split(".")
    longer = f"{int(expiry) + 1}.{number}.{signature}"
    other = f"{expiry}.{number}.{'0' * 64}"
    client = await serve(admin_password_hash=HASH)
    for forged in (longer, other, "", "..", f"{expiry}.{number}", "x" * 5000, f"{expiry}.é.0"):
        sent = HTML | {"Cookie": f"{sessions.COOKIE}={forged}"}
        async with client.get("/admin", headers=sent) as answer:
            assert answer.status == 403
    now = float(expiry)
    monkeypatch.setattr("bot.web.admin.sessions.time.time", lambda: now)
    await page(admin, "/admin", 403)


async def test_wrong_passwords_are_limited(guest: Client) -> None:
    for password in ("", "wrong", "x" * 10_000, "\U0001f98a", PASSWORD.upper()):
        assert await log_in(guest, password) == 403
    async with guest.post("/admin/login", data={"password": PASSWORD}, headers=HTML) as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0
        assert "Too many login attempts" in await answer.text()


async def test_few_logins_are_checked_at_once(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await serve(admin_password_hash=HASH)
    monkeypatch.setattr(client.app[SESSIONS].login_rate, "_per_minute", 0)
    checked, most = 0, 0
    real = asyncio.to_thread

    async def slow(work: Any, *given: Any) -> Any:
        nonlocal checked, most
        checked += 1
        most = max(most, checked)
        result = await real(work, *given)
        checked -= 1
        return result

    monkeypatch.setattr("bot.web.admin.sessions.asyncio.to_thread", slow)
    statuses = await asyncio.gather(*(log_in(client, "wrong") for _ in range(30)))
    assert most == 1
    assert set(statuses) <= {403, 503}
    assert await log_in(client) == 303


@pytest.mark.parametrize("path", [*CHANGES, "/admin/login", "/admin/logout"])
async def test_requests_from_other_sites_are_rejected(admin: Client, path: str) -> None:
    for headers in ({"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}):
        assert "another site" in (await post(admin, path, 403, **headers))["error"]


@pytest.mark.parametrize("path", CHANGES)
async def test_forms_of_another_content_type_are_rejected(admin: Client, path: str) -> None:
    async with admin.post(path, data={"a": "b"}) as answer:
        assert answer.status == 415
    async with admin.post(path, data='{"a": 1}', headers=JSON) as answer:
        assert answer.status == 400
    async with admin.get(path) as answer:
        assert answer.status == 405


@pytest.mark.parametrize("path", PAGES)
async def test_admin_pages_comply_with_the_content_security_policy(
    admin: Client, studio: Studio, owner: Owner, path: str
) -> None:
    await studio.painting.create("hair:pink", Request(owner))
    async with admin.get(path, headers=HTML) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert (
            "script-src 'self' 'wasm-unsafe-eval'; style-src 'self'"
            in answer.headers["Content-Security-Policy"]
        )
        text = await answer.text()
    scripts = r'<script(?![^>]* src=| type="application/json")'
    assert not re.search(rf"{scripts}|<style|\sstyle=|\son\w+=|https?://(?!www\.w3)", text)
    assert "<faces>" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/admin/nothing",
        "/admin/models/none",
        "/admin/models/tiny/generator.onnx",
        "/admin/models/tiny/manifest.json",
        "/admin/models/tiny/samples.png",  # this model has no samples
        "/admin/runs/none",
        "/admin/runs/..%2Fmodels",
        "/admin/runs/faces/run.json",
        "/admin/runs/faces/samples-000009k.png",
        "/admin/runs/faces/..%2Frun.json",
        "/admin/runs/%00",
        "/admin/thumbs/22222222.webp",
        "/admin/thumbs/%22.webp",
    ],
)
async def test_unknown_admin_paths_are_not_found(
    admin: Client, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await page(admin, path, 404)
    assert caplog.records == []


@pytest.mark.parametrize(
    "path", ["/admin?x=1", "/admin/live?x=1", "/admin/pictures?cursor=x", "/admin/runs?a=1&a=2"]
)
async def test_invalid_admin_requests_are_rejected(
    admin: Client, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await page(admin, path, 400)
    assert caplog.records == []


async def test_a_logout_outlives_a_restart_and_ends_no_other_session(
    serve: Serve, admin: Client, runs: Path
) -> None:
    other = await serve(admin_password_hash=HASH, runs=runs)
    assert await log_in(other) == 303

    async def statuses() -> list[int]:
        restarted = await serve(admin_password_hash=HASH, runs=runs)
        found = []
        for cookie in cookies:
            sent = HTML | {"Cookie": f"{sessions.COOKIE}={cookie}"}
            async with restarted.get("/admin", headers=sent) as answer:
                found.append(answer.status)
        return found

    cookies = [
        c.value
        for client in (admin, other)
        for c in client.session.cookie_jar
        if c.key == sessions.COOKIE
    ]
    assert await statuses() == [200, 200]
    async with admin.post("/admin/logout", allow_redirects=False) as answer:
        assert answer.status == 303
    assert await statuses() == [403, 200]
    async with other.post("/admin/logout", allow_redirects=False) as answer:
        assert answer.status == 303
    assert await statuses() == [403, 403]


async def test_a_session_from_a_wrong_clock_does_not_last_longer(
    guest: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    with monkeypatch.context() as a_year_ahead:
        a_year_ahead.setattr("bot.web.admin.sessions.time.time", lambda: now + 365 * 24 * 3600)
        assert await log_in(guest) == 303
        await page(guest, "/admin")
    await page(guest, "/admin", 403)


async def test_too_many_waiting_logins_are_refused_in_their_own_words(
    guest: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_WAITING", 0)
    async with guest.post("/admin/login", data={"password": PASSWORD}, headers=HTML) as answer:
        assert answer.status == 503
        text = await answer.text()
    assert "logins" in text
    assert "pictures are waiting" not in text
