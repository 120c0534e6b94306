"""Visitors, origins, rate limits and headers."""

import re
from types import SimpleNamespace

import pytest

from bot.web.visitors import COOKIE
from db.store import Store

from ..conftest import Client, Serve
from .conftest import JSON, get, paint, post


async def test_visitors_own_what_they_paint(client: Client, store: Store) -> None:
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        cookie = answer.cookies[COOKIE]
        (first,) = await answer.json()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["secure"]
    (second,) = await paint(client)
    client.session.cookie_jar.clear()
    (other,) = await paint(client)
    owners = []
    for avatar in (first, second, other):
        stored = await store.avatars.get(avatar["id"])
        assert stored is not None
        owners.append(stored.owner)
    assert owners[0] == owners[1] != owners[2]
    assert owners[0].kind == "web"
    assert cookie.value not in owners[0].key


async def test_the_cookie_is_secure_with_an_https_public_url(serve: Serve) -> None:
    client = await serve(public_url="https://irodori.example/")
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        assert answer.cookies[COOKIE]["secure"]
        (avatar,) = await answer.json()
    assert avatar["url"] == f"https://irodori.example/a/{avatar['id']}"
    assert avatar["image_url"] == f"https://irodori.example/images/{avatar['id']}.png"


async def test_cookies_of_other_programs_do_not_hide_the_visitor(serve: Serve) -> None:
    client = await serve()
    token = "a" * 43
    foreign = 'settings={"theme": "dark", "sizes": [1, 2]}'
    for cookies in (f"{foreign}; {COOKIE}={token}", f"{COOKIE}={token}; {foreign}"):
        headers = {"Cookie": cookies}
        async with client.post("/api/avatars", json={"prompt": ""}, headers=headers) as answer:
            assert answer.status == 201
            assert answer.cookies[COOKIE].value == token


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://front.example"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://irodori.example"}, 201),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({}, 201),
    ],
)
async def test_other_sites_cannot_paint(serve: Serve, headers: dict[str, str], status: int) -> None:
    client = await serve(public_url="https://irodori.example")
    async with client.post("/api/avatars", json={"prompt": ""}, headers=headers) as answer:
        assert answer.status == status
    async with client.post("/paint", data={}, headers=headers, allow_redirects=False) as answer:
        assert answer.status == (303 if status == 201 else 403)


async def test_the_own_origin_can_paint(client: Client) -> None:
    origin = str(client.make_url("")).rstrip("/")
    async with client.post(
        "/api/avatars", json={"prompt": ""}, headers={"Origin": origin}
    ) as answer:
        assert answer.status == 201


async def test_painting_can_be_switched_off(serve: Serve) -> None:
    client = await serve(paint="off")
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        assert answer.status == 403
        assert "off" in (await answer.json())["error"]
    async with client.get("/api/avatars") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Host": "localhost:8080"}, 201),
        ({"X-Forwarded-For": "203.0.113.7"}, 403),
        ({"Host": "rebound.example:8080"}, 403),
        ({"Host": "["}, 403),
    ],
)
async def test_painting_can_be_restricted_to_this_machine(
    serve: Serve, headers: dict[str, str], status: int
) -> None:
    client = await serve(paint="local")
    async with client.post("/api/avatars", json={"prompt": ""}, headers=headers) as answer:
        assert answer.status == status


@pytest.mark.parametrize("action", ["again", "recolour", "variations", "favourite", ""])
async def test_changes_require_the_same_origin_and_json(client: Client, action: str) -> None:
    (avatar,) = await paint(client)
    method = "POST" if action else "DELETE"
    path = f"/api/avatars/{avatar['id']}" + (f"/{action}" if action else "")
    body = b'{"wish": {"hair": "blue"}}' if action == "recolour" else b"{}"
    for headers, status in (
        ({**JSON, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**JSON, "Origin": "http://evil.example"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        (JSON, {"": 204, "favourite": 200}.get(action, 201)),
    ):
        async with client.request(method, path, data=body, headers=headers) as answer:
            assert answer.status == status


async def test_other_sites_cannot_have_transitions_painted(client: Client) -> None:
    a, b = (avatar["id"] for avatar in await paint(client, count=2))
    for url in (f"/api/transition?a={a}&b={b}", f"/api/morph.webp?ids={a},{b}"):
        async with client.get(url, headers={"Sec-Fetch-Site": "cross-site"}) as answer:
            assert answer.status == 403


async def test_the_rate_limit_of_an_address(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("bot.web.rate_limits.time", SimpleNamespace(monotonic=lambda: now))
    client = await serve(paint_per_minute=10)
    (avatar,) = await paint(client)
    await post(client, f"/api/avatars/{avatar['id']}/variations")
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        assert answer.status == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 6
        assert re.search(r"until \d{4}-", (await answer.json())["error"])
    async with client.post("/paint", data={"prompt": ""}) as answer:
        assert answer.status == 429
    await get(client, f"/api/transition?a={avatar['id']}&b={avatar['id']}", 429)
    assert await get(client, "/api/avatars")
    now = 6.0
    await paint(client)
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        assert answer.status == 429


async def test_behind_a_trusted_proxy_every_visitor_has_a_limit(serve: Serve) -> None:
    async def painted(client: Client, forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        async with client.post("/api/avatars", json={"prompt": ""}, headers=headers) as answer:
            return answer.status

    trusting = await serve(paint_per_minute=1, trusted_proxies=["127.0.0.1", "10.0.0.0/8"])
    assert await painted(trusting, "203.0.113.1") == 201
    assert await painted(trusting, "198.51.100.9, 203.0.113.1") == 429  # forged by the visitor
    assert await painted(trusting, "203.0.113.2, 10.1.2.3") == 201
    assert await painted(trusting, "203.0.113.2") == 429
    assert await painted(trusting, "2001:db8::1") == 201
    assert await painted(trusting, "2001:db8::2") == 429  # the same network
    for same in ("203.0.113.2:4711", '"203.0.113.2:4712"', "[2001:db8::1]:4711", "[2001:db8::3]"):
        assert await painted(trusting, same) == 429, same
    assert await painted(trusting, "203.0.113.3:4711, 10.1.2.3:80") == 201
    assert await painted(trusting, "203.0.113.3") == 429
    assert await painted(trusting, "nonsense") == 201  # counts as the proxy itself
    plain = await serve(paint_per_minute=1)
    assert await painted(plain, "203.0.113.1") == 201
    assert await painted(plain, "203.0.113.2") == 429


async def test_every_answer_has_the_security_headers(client: Client) -> None:
    (avatar,) = await paint(client)
    for path in ("/", avatar["url"], avatar["image_url"], "/static/x/style.css", "/nothing"):
        async with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy.replace("'wasm-unsafe-eval'", "")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_answers_are_compressed_if_accepted(client: Client) -> None:
    await paint(client, count=9)
    for url in ("/api/avatars", "/"):
        async with client.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            packed = await answer.text()
        async with client.get(url, headers={"Accept-Encoding": "identity"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert await answer.text() == packed
