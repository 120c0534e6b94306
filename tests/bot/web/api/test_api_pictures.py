"""Actions on pictures over the API: families, morphs, favorites, deletion and filters."""

import io
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_model import add_model

from bot.inference.engine import Engine
from bot.studio import Request, Studio
from bot.web.visitors import COOKIE
from db.records import Owner
from db.store import Store
from export.registry import Registry

from ..conftest import Client, Serve

JSON = {"content-type": "application/json"}


async def paint(client: Client, prompt: str = "", **more: object) -> list[dict[str, Any]]:
    async with client.post("/api/avatars", json={"prompt": prompt, **more}) as answer:
        assert answer.status == 201, await answer.text()
        avatars: list[dict[str, Any]] = await answer.json()
        return avatars


async def post(client: Client, path: str, status: int = 201, **body: object) -> Any:
    async with client.post(path, json=body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def get(client: Client, path: str, status: int = 200) -> Any:
    async with client.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def image(client: Client, path: str) -> Image.Image:
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return Image.open(io.BytesIO(await answer.read()))


@pytest.fixture
async def large(registry: Registry, engine: Engine) -> None:
    """The model in use can also paint at 256 pixels."""
    add_model(registry, "large", upscaler=True)
    registry.use("large")
    await engine.refresh()


async def test_a_picture_has_its_family(client: Client) -> None:
    a, b = await paint(client, "hair:pink eyes:red", count=2)
    (child,) = await post(client, "/api/mix", a=a["id"], b=b["id"], seed=5)
    assert (child["parents"], child["seed"]) == ([a["id"], b["id"]], 5)
    nine = await post(client, f"/api/avatars/{a['id']}/variations", seed=7)
    assert [v["seed"] for v in nine] == list(range(7, 16))
    (other,) = await post(client, f"/api/avatars/{child['id']}/recolour", wish={"hair": "blue"})
    assert other["conditions"] == {**child["conditions"], "hair": "blue"}
    (again,) = await post(client, f"/api/avatars/{a['id']}/again", seed=11)
    assert (again["wish"], again["seed"]) == (a["wish"], 11)

    family = await get(client, f"/api/avatars/{child['id']}")
    assert family["parents"] == [a, b]
    assert family["children"] == [other]
    assert [s["id"] for s in family["siblings"]] == [again["id"], *(v["id"] for v in nine[::-1])]
    assert (family["favourite"], family["own"]) == (False, True)


async def test_private_and_deleted_relatives_are_left_out(
    client: Client, studio: Studio, owner: Owner
) -> None:
    (parent,) = await studio.painting.create({}, Request(owner))
    (secret,) = await studio.family.mix(
        parent.id,
        (await studio.painting.create({}, Request(owner)))[0].id,
        Request(owner, private=True),
    )
    (deleted,) = await studio.painting.again(parent.id, Request(owner))
    await studio.avatars.delete(deleted.id, owner)
    family = await get(client, f"/api/avatars/{parent.id}")
    assert family["children"] == []
    assert secret.id not in str(family)


@pytest.mark.parametrize("hidden", ["private", "deleted", "unknown", "hidden"])
async def test_private_deleted_unknown_and_hidden_pictures_appear_nowhere(
    client: Client, studio: Studio, owner: Owner, hidden: str
) -> None:
    (shown,) = await paint(client)
    (avatar,) = await studio.painting.create(
        "hair:red eyes:red", Request(owner, private=hidden == "private")
    )
    if hidden == "deleted":
        await studio.avatars.delete(avatar.id, owner)
    if hidden == "hidden":
        await studio.avatars.set_hidden(avatar.id, True)
    id = "2222bbbb" if hidden == "unknown" else avatar.id
    if hidden == "unknown":
        await studio.avatars.delete(avatar.id, owner)
    for path in (
        f"/api/avatars/{id}",
        f"/images/{id}.png?size=64",
        f"/thumbs/{id}.webp",
        f"/api/transition?a={shown['id']}&b={id}",
        f"/api/morph.webp?ids={shown['id']},{id}",
    ):
        assert set(await get(client, path, 404)) == {"error"}
    for action, body in (
        ("again", {}),
        ("recolour", {"wish": {"hair": "blue"}}),
        ("variations", {}),
        ("favourite", {}),
    ):
        await post(client, f"/api/avatars/{id}/{action}", 404, **body)
    await post(client, "/api/mix", 404, a=id, b=shown["id"])
    async with client.delete(f"/api/avatars/{id}", headers=JSON) as answer:
        assert answer.status == 404
    assert (await get(client, "/api/facets"))["hair"]["red"] == (
        shown["conditions"]["hair"] == "red"
    )
    assert id not in str(await get(client, "/api/matrix"))


async def test_a_transition_leads_from_face_to_face(client: Client) -> None:
    (a,), (b,) = await paint(client, "hair:black eyes:red"), await paint(client, "hair:white")
    url = f"/api/transition?a={a['id']}&b={b['id']}&frames=5"
    async with client.get(url) as answer:
        assert answer.content_type == "image/webp"
        assert (answer.headers["X-Frames"], answer.headers["X-Frame-Size"]) == ("5", "64")
        tag = answer.headers["ETag"]
        strip = np.asarray(Image.open(io.BytesIO(await answer.read())).convert("RGB")).astype(int)
    assert strip.shape == (64, 5 * 64, 3)
    for end, avatar in ((strip[:, :64], a), (strip[:, -64:], b)):
        whole = np.asarray(await image(client, avatar["image_url"])).astype(int)
        assert np.abs(whole - end).mean() < 8  # WebP is lossy
    brightness = [strip[:32, 64 * i : 64 * i + 64].mean() for i in range(5)]
    assert brightness == sorted(brightness)
    async with client.get(url, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


async def test_a_morph_can_be_downloaded(client: Client) -> None:
    ids = [avatar["id"] for avatar in await paint(client, count=3)]
    async with client.get("/api/morph.webp?ids=" + ",".join(ids)) as answer:
        assert answer.content_type == "image/webp"
        disposition = answer.headers["Content-Disposition"]
        assert disposition == f'attachment; filename="irodori-{"-".join(ids)}.webp"'
        animation = Image.open(io.BytesIO(await answer.read()))
    assert getattr(animation, "n_frames", 1) > 9
    for few in (ids[:1], ids[:1] * 2, ids * 2):
        assert await get(client, "/api/morph.webp?ids=" + ",".join(few), 400)


async def test_favorites_belong_to_the_visitor(client: Client) -> None:
    (avatar,) = await paint(client)
    path = f"/api/avatars/{avatar['id']}"
    assert await post(client, f"{path}/favourite", 200) == {"favourite": True, "favourites": 1}
    assert (await get(client, path))["favourite"]
    client.session.cookie_jar.clear()
    assert not (await get(client, path))["favourite"]
    async with client.post(f"{path}/favourite", json={}) as answer:
        assert answer.cookies[COOKIE]["httponly"]
        assert await answer.json() == {"favourite": True, "favourites": 2}
    assert await post(client, f"{path}/favourite", 200) == {"favourite": False, "favourites": 1}
    (other,) = await paint(client)
    loved = await get(client, "/api/avatars?sort=loved")
    assert [(a["id"], a["favourites"]) for a in loved["avatars"]] == [
        (avatar["id"], 1),
        (other["id"], 0),
    ]


async def test_visitors_can_delete_only_their_own_pictures(client: Client, store: Store) -> None:
    (avatar,) = await paint(client)
    await image(client, avatar["thumb_url"])
    mine = {cookie.key: cookie.value for cookie in client.session.cookie_jar}
    client.session.cookie_jar.clear()
    for _ in range(2):  # without a cookie, and with the cookie of another visitor
        async with client.delete(f"/api/avatars/{avatar['id']}", headers=JSON) as answer:
            assert answer.status == 403
        await paint(client)
    assert await store.avatars.get(avatar["id"])
    url = f"/api/avatars/{avatar['id']}"
    async with client.delete(url, headers=JSON, cookies=mine) as answer:
        assert answer.status == 204
        assert await answer.read() == b""
    for path in (url, avatar["image_url"], avatar["thumb_url"], avatar["url"]):
        await get(client, path, 404)


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


async def test_facets_count_under_the_other_filters(client: Client) -> None:
    for prompt in ("hair:pink eyes:red", "hair:pink eyes:blue", "hair:blue eyes:blue"):
        await paint(client, prompt)
    facets = await get(client, "/api/facets")
    assert (facets["hair"]["pink"], facets["hair"]["blue"], facets["hair"]["red"]) == (2, 1, 0)
    facets = await get(client, "/api/facets?hair=pink")
    assert (facets["hair"]["pink"], facets["hair"]["blue"]) == (2, 1)
    assert (facets["eyes"]["red"], facets["eyes"]["blue"], facets["eyes"]["pink"]) == (1, 1, 0)
    facets = await get(client, "/api/facets?hair=pink&eyes=blue")
    assert (facets["hair"]["pink"], facets["hair"]["blue"], facets["eyes"]["red"]) == (1, 1, 1)
    assert (await get(client, "/api/avatars?eyes=blue"))["count"] == 2


async def test_the_matrix_shows_the_newest_of_each_cell(client: Client) -> None:
    first, last = await paint(client, "hair:pink eyes:red", count=2)
    await paint(client, "hair:blue eyes:red")
    matrix = await get(client, "/api/matrix")
    assert (matrix["rows"], matrix["columns"]) == ("hair", "eyes")
    assert matrix["cells"]["pink"] == {
        "red": {
            "count": 2,
            "id": last["id"],
            "url": last["url"],
            "thumb_url": last["thumb_url"],
        }
    }
    assert matrix["cells"]["green"] == {}
    turned = await get(client, "/api/matrix?rows=eyes")
    assert turned["columns"] == "hair"
    assert set(turned["cells"]["red"]) == {"pink", "blue"}
    async with client.delete(f"/api/avatars/{last['id']}", headers=JSON):
        pass
    cell = (await get(client, "/api/matrix"))["cells"]["pink"]["red"]
    assert (cell["count"], cell["id"]) == (1, first["id"])


@pytest.mark.usefixtures("large")
async def test_pictures_come_in_several_sizes(client: Client) -> None:
    (avatar,) = await paint(client, seed=1)
    (small,) = await paint(client, seed=1, size=64)
    assert (avatar["width"], avatar["height"], small["width"]) == (256, 256, 64)
    whole = np.asarray(await image(client, avatar["image_url"])).astype(int)
    for size in (64, 128, 256):
        scaled = np.asarray(await image(client, f"{avatar['image_url']}?size={size}")).astype(int)
        assert scaled.shape == (size, size, 3)
        k = 256 // size
        means = whole.reshape(size, k, size, k, 3).mean((1, 3))
        assert np.abs(scaled - means).max() <= 1
    assert (await image(client, f"{small['image_url']}?size=256")).size == (64, 64)
    tags = set()
    for query in ("", "?size=64", "?size=128"):
        async with client.get(avatar["image_url"] + query) as answer:
            tags.add(answer.headers["ETag"])
    assert len(tags) == 3
    await post(client, "/api/avatars", 400, prompt="", size=100)


@pytest.mark.usefixtures("large")
async def test_a_thumbnail_is_made_once(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (avatar,), (small,) = await paint(client), await paint(client, size=64)
    for of, size in ((avatar, 128), (small, 64)):
        thumb = await image(client, of["thumb_url"])
        assert (thumb.format, thumb.size) == ("WEBP", (size, size))
    kept = await store.avatars.thumbnail(avatar["id"])
    monkeypatch.setattr("bot.studio.avatars.thumbnail", None)  # thumbnails can no longer be made
    async with client.get(avatar["thumb_url"]) as answer:
        assert await answer.read() == kept
        assert "immutable" in answer.headers["Cache-Control"]
        tag = answer.headers["ETag"]
    async with client.get(avatar["thumb_url"], headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


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
    assert await painted(trusting, "nonsense") == 201  # counts as the proxy itself
    plain = await serve(paint_per_minute=1)
    assert await painted(plain, "203.0.113.1") == 201
    assert await painted(plain, "203.0.113.2") == 429


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("again", {"seed": "7"}, "seed"),
        ("again", {"sead": 7}, "sead"),
        ("recolour", {}, "wish"),
        ("recolour", {"wish": "blue"}, "wish"),
        ("recolour", {"wish": {"hair": 7}}, "wish.hair"),
        ("recolour", {"wish": {"hair": "bleu"}}, "blue"),
        ("recolour", {"wish": {}}, "change"),
        ("variations", [], "object"),
        ("favourite", {"favourite": True}, "favourite"),
    ],
)
async def test_invalid_bodies_name_the_key(
    client: Client, path: str, body: object, text: str
) -> None:
    (avatar,) = await paint(client)
    async with client.post(f"/api/avatars/{avatar['id']}/{path}", json=body) as answer:
        assert answer.status == 400
        assert text in (await answer.json())["error"]


async def test_answers_are_compressed_if_accepted(client: Client) -> None:
    await paint(client, count=9)
    for url in ("/api/avatars", "/"):
        async with client.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            packed = await answer.text()
        async with client.get(url, headers={"Accept-Encoding": "identity"}) as answer:
            assert "Content-Encoding" not in answer.headers
            assert await answer.text() == packed
