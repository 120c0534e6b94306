"""The admin's pages on the server's side."""

import asyncio
import json
import logging
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from argon2 import PasswordHasher
from PIL import Image
from tiny_model import add_model

from bot.passwords import PasswordHash
from bot.studio import Request, Studio
from bot.web.admin import sessions
from bot.web.admin.sessions import SESSIONS
from db.records import Owner
from export.registry import Registry

PASSWORD = "correct horse"
HASH = str(PasswordHash.of(PASSWORD, PasswordHasher(1, 8, 1)))
HTML = {"Accept": "text/html"}
JSON = {"Content-Type": "application/json"}

Serve = Callable[..., Awaitable[TestClient]]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    run = tmp_path / "runs" / "faces"
    run.mkdir(parents=True)
    content = {"format": 1, "settings": {"images": 4000, "batch": 16, "data": "<faces>.zip"}}
    (run / "run.json").write_text(json.dumps(content))
    line = {"images": 1000, "seconds": 20, "images_per_second": 50, "generator": 1.5}
    (run / "log.jsonl").write_text(json.dumps(line) + '\n{"images": 20')
    Image.new("RGB", (64, 32)).save(run / "samples-000001k.png")
    return tmp_path / "runs"


@pytest.fixture
async def guest(serve: Serve, runs: Path) -> TestClient:
    """There is an /admin, but nobody has logged in."""
    return await serve(admin_password_hash=HASH, runs=runs)


@pytest.fixture
async def admin(guest: TestClient) -> TestClient:
    assert await log_in(guest) == 303
    return guest


async def log_in(client: TestClient, password: str = PASSWORD, **form: str) -> int:
    async with client.post(
        "/admin/login", data={"password": password, **form}, headers=HTML, allow_redirects=False
    ) as answer:
        return answer.status


async def page(client: TestClient, path: str, status: int = 200) -> str:
    async with client.get(path, headers=HTML) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == "text/html"
        return await answer.text()


async def post(client: TestClient, path: str, status: int = 200, **headers: str) -> Any:
    async with client.post(path, data="{}", headers=JSON | headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


PAGES = ["/admin", "/admin/live", "/admin/runs", "/admin/runs/faces", "/admin/pictures"]
PAGES += ["/admin/models/tiny"]
CHANGES = ["/admin/models/tiny/use", "/admin/rollback", "/admin/pictures/22222222/hide"]


@pytest.mark.parametrize("path", [*PAGES, "/admin/login", "/admin/"])
async def test_without_a_password_there_is_no_admin(client: TestClient, path: str) -> None:
    await page(client, path, 404)
    assert await log_in(client) == 404


@pytest.mark.parametrize(
    "path", [*PAGES, "/admin/thumbs/22222222.webp", "/admin/runs/faces/samples-000001k.png"]
)
async def test_without_a_session_only_the_login_is_shown(guest: TestClient, path: str) -> None:
    text = await page(guest, path, 403)
    assert 'type="password"' in text
    assert "tiny" not in text.replace(f'value="{path}"', "")
    async with guest.get(path) as answer:
        assert answer.status == 403
        assert set(await answer.json()) == {"error"}


@pytest.mark.parametrize("path", CHANGES)
async def test_without_a_session_nothing_can_be_changed(guest: TestClient, path: str) -> None:
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
async def test_the_login_redirects_to_admin_pages_only(guest: TestClient, to: str) -> None:
    async with guest.post(
        "/admin/login", data={"password": PASSWORD, "to": to}, allow_redirects=False
    ) as answer:
        assert answer.headers["Location"] == "/admin"


async def test_logout_ends_the_session_in_every_browser(admin: TestClient) -> None:
    cookies = {c.key: c.value for c in admin.session.cookie_jar}
    kept = {"Cookie": f"{sessions.COOKIE}={cookies[sessions.COOKIE]}"}
    async with admin.post("/admin/logout", allow_redirects=False) as answer:
        assert answer.status == 303
    await page(admin, "/admin", 403)
    async with admin.get("/admin", headers=HTML | kept) as answer:
        assert answer.status == 403


async def test_sessions_outlive_a_restart_but_not_the_password(
    serve: Serve, admin: TestClient, runs: Path
) -> None:
    [cookie] = [c for c in admin.session.cookie_jar if c.key == sessions.COOKIE]
    sent = HTML | {"Cookie": f"{sessions.COOKIE}={cookie.value}"}
    another = str(PasswordHash.of(PASSWORD, PasswordHasher(1, 8, 1)))
    for hash, status in ((HASH, 200), (another, 403)):
        client = await serve(admin_password_hash=hash, runs=runs)
        async with client.get("/admin", headers=sent) as answer:
            assert answer.status == status


async def test_sessions_cannot_be_forged_or_extended(
    serve: Serve, admin: TestClient, monkeypatch: pytest.MonkeyPatch
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


async def test_wrong_passwords_are_limited(guest: TestClient) -> None:
    for wrong in ("", "wrong", "x" * 10_000, "\U0001f98a", PASSWORD.upper()):
        assert await log_in(guest, wrong) == 403
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
async def test_another_sites_page_changes_nothing(admin: TestClient, path: str) -> None:
    for headers in ({"Origin": "https://example.org"}, {"Sec-Fetch-Site": "cross-site"}):
        assert "another site" in (await post(admin, path, 403, **headers))["error"]


@pytest.mark.parametrize("path", CHANGES)
async def test_a_form_of_another_type_changes_nothing(admin: TestClient, path: str) -> None:
    async with admin.post(path, data={"a": "b"}) as answer:
        assert answer.status == 415
    async with admin.post(path, data='{"a": 1}', headers=JSON) as answer:
        assert answer.status == 400
    async with admin.get(path) as answer:
        assert answer.status == 405


@pytest.mark.parametrize("path", PAGES)
async def test_admin_pages_obey_the_content_security_policy(
    admin: TestClient, studio: Studio, owner: Owner, path: str
) -> None:
    await studio.painting.create("hair:pink", Request(owner))
    async with admin.get(path, headers=HTML) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert "script-src 'self'; style-src 'self'" in answer.headers["Content-Security-Policy"]
        text = await answer.text()
    assert not re.search(
        r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|https?://(?!www\.w3)", text
    )
    assert "<faces>" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/admin/nothing",
        "/admin/models/none",
        "/admin/models/..",
        "/admin/models/tiny/generator.onnx",
        "/admin/models/tiny/manifest.json",
        "/admin/models/tiny/samples.png",  # this one has none
        "/admin/runs/none",
        "/admin/runs/..",
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
    admin: TestClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await page(admin, path, 404)
    assert caplog.records == []


@pytest.mark.parametrize(
    "path", ["/admin?x=1", "/admin/live?x=1", "/admin/pictures?cursor=x", "/admin/runs?a=1&a=2"]
)
async def test_invalid_admin_requests_are_rejected(
    admin: TestClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await page(admin, path, 400)
    assert caplog.records == []


# Models


async def test_models_are_listed_used_and_rolled_back(
    admin: TestClient, registry: Registry, studio: Studio
) -> None:
    manifest = add_model(registry, "newer")
    folder = registry.folder("newer")
    (folder / "MODEL_CARD.md").write_text("# newer\n\n<b>Bold</b> ![s](samples.png)\n")
    Image.new("RGB", (64, 32)).save(folder / "samples.png")
    text = await page(admin, "/admin")
    assert "newer" in text
    assert "Roll back" not in text  # there is nothing to go back to
    card = await page(admin, "/admin/models/newer")
    assert '<img src="/admin/models/newer/samples.png" alt="s" width="64" height="32"' in card
    assert "<b>" not in card
    async with admin.get("/admin/models/newer/samples.png") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")

    assert await post(admin, "/admin/models/newer/use") == {"model": "newer"}
    assert studio.model_name == manifest.name == registry.current()
    assert "Roll back to tiny" in await page(admin, "/admin")
    assert await post(admin, "/admin/rollback") == {"model": "tiny"}
    assert studio.model_name == "tiny"


async def test_a_broken_model_is_reported_with_its_problem(
    admin: TestClient, registry: Registry, studio: Studio
) -> None:
    add_model(registry, "broken")
    (registry.folder("broken") / "generator.onnx").write_bytes(b"nothing")
    add_model(registry, "mangled")
    (registry.folder("mangled") / "manifest.json").write_text("{")
    assert "not valid JSON" in await page(admin, "/admin")
    assert "not valid JSON" in await page(admin, "/admin/models/mangled")
    for name in ("broken", "mangled", "none"):
        said = await post(admin, f"/admin/models/{name}/use", 503)
        assert "The model cannot be used" in said["error"]
    assert "no model was used before" in (await post(admin, "/admin/rollback", 503))["error"]
    assert studio.model_name == registry.current() == "tiny"


# Load and trainings


async def test_viewing_the_load_does_not_change_it(
    admin: TestClient, studio: Studio, owner: Owner
) -> None:
    await studio.painting.create("hair:pink", Request(owner), count=3)
    first = await page(admin, "/admin/live")
    assert re.search(r"<dt>Pictures</dt><dd>3</dd>", first)
    assert re.search(r"<dt>Painting</dt><dd>[\d.,]+ ms", first)
    assert "<dt>Requests</dt><dd>–" in first  # only admins have asked
    async with admin.get("/gallery") as answer:
        assert answer.status == 200
    assert re.search(r"<dt>Requests</dt><dd>[\d.,]+ ms", await page(admin, "/admin/live"))


async def test_training_runs_are_shown(admin: TestClient, runs: Path) -> None:
    assert "1,000 images · 50 images/s" in await page(admin, "/admin/runs")
    text = await page(admin, "/admin/runs/faces")
    assert '<dd>1,000</dd><dd class="aside">of 4,000</dd>' in text
    assert 'src="/admin/runs/faces/samples-000001k.png"' in text
    assert "&lt;faces&gt;.zip" in text
    async with admin.get("/admin/runs/faces/samples-000001k.png") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
    with (runs / "faces" / "log.jsonl").open("a") as log:
        log.write('00, "seconds": 40}\n')
    assert '<dd>2,000</dd><dd class="aside">of 4,000</dd>' in await page(admin, "/admin/runs/faces")


async def test_a_damaged_run_breaks_nothing(admin: TestClient, runs: Path) -> None:
    for n, content in enumerate(("{", "[]", '{"settings": 7}', '{"settings": {"minutes": "x"}}')):
        (runs / f"odd {n}&").mkdir()
        (runs / f"odd {n}&" / "run.json").write_text(content)
        (runs / f"odd {n}&" / "samples-000001k.png").write_bytes(b"half a pict")
        text = await page(admin, f"/admin/runs/odd%20{n}&")
        assert ("This run is damaged" in text) == (n < 2)
    listed = await page(admin, "/admin/runs")
    assert "damaged" in listed
    assert 'href="/admin/runs/odd%200%26"' in listed
    shutil.rmtree(runs)
    assert "No training runs" in await page(admin, "/admin/runs")
    await page(admin, "/admin/runs/faces", 404)


# Pictures


async def test_a_hidden_picture_is_not_found_until_it_is_shown_again(
    admin: TestClient, studio: Studio, owner: Owner
) -> None:
    parent, other = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    (child,) = await studio.family.recolor(parent.id, {"hair": "blue"}, Request(owner))
    path = f"/admin/pictures/{parent.id}"
    assert await post(admin, f"{path}/hide") == {"id": parent.id, "hidden": True}
    assert await post(admin, f"{path}/hide") == {"id": parent.id, "hidden": True}  # twice is once
    await page(admin, f"/a/{parent.id}", 404)
    for address in ("/gallery", "/", "/matrix", f"/a/{child.id}", f"/a/{other.id}"):
        assert parent.id not in await page(admin, address)
    async with admin.get("/api/facets") as answer:
        assert (await answer.json())["hair"]["pink"] == 1
    assert await studio.avatars.get(parent.id, viewer=owner)  # still the owner's
    (again,) = await studio.painting.again(parent.id, Request(owner))
    assert again.private  # what is made of it does not bring it back

    listed = await page(admin, "/admin/pictures")
    assert f"/admin/thumbs/{parent.id}.webp" in listed
    async with admin.get(f"/admin/thumbs/{parent.id}.webp") as answer:
        assert (answer.status, answer.content_type) == (200, "image/webp")
    assert await post(admin, f"{path}/show") == {"id": parent.id, "hidden": False}
    assert parent.id in await page(admin, "/gallery")
    async with admin.get("/api/facets") as answer:
        assert (await answer.json())["hair"]["pink"] == 2


async def test_admins_cannot_see_private_pictures(
    admin: TestClient, studio: Studio, owner: Owner
) -> None:
    (private,) = await studio.painting.create("hair:pink", Request(owner, private=True))
    assert private.id not in await page(admin, "/admin/pictures")
    for act in ("hide", "show"):
        await post(admin, f"/admin/pictures/{private.id}/{act}", 404)
    await page(admin, f"/admin/thumbs/{private.id}.webp", 404)
    assert (await studio.avatars.get(private.id, viewer=owner)).private


async def test_pictures_are_paged(admin: TestClient, studio: Studio, owner: Owner) -> None:
    for _ in range(3):
        await studio.painting.create("hair:pink", Request(owner), count=9)
    first = await page(admin, "/admin/pictures")
    [older] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = await page(admin, older.replace("&amp;", "&"))
    ids = re.compile(r'data-hide="(\w+)"')
    assert len(ids.findall(first)) == 24
    assert len(set(ids.findall(first)) | set(ids.findall(second))) == 27
