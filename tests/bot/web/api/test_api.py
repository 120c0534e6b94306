import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from bot.errors import Busy
from bot.prompts.parser import MAX_LENGTH
from bot.studio import Request, Studio
from bot.web.visitors import COOKIE
from db.records import Owner
from db.store import Store

from ..conftest import Client, Serve


async def paint(client: Client, prompt: str = "", **more: object) -> list[dict[str, Any]]:
    async with client.post("/api/avatars", json={"prompt": prompt, **more}) as answer:
        assert answer.status == 201, await answer.text()
        avatars: list[dict[str, Any]] = await answer.json()
        return avatars


async def pixels(client: Client, avatar: dict[str, Any]) -> npt.NDArray[np.int64]:
    async with client.get(avatar["image_url"]) as answer:
        return np.asarray(Image.open(io.BytesIO(await answer.read()))).astype(np.int64)


async def test_a_prompt_is_painted(client: Client) -> None:
    (avatar,) = await paint(client, "orange eyes, pink hair", seed=7)
    assert avatar == {
        "id": avatar["id"],
        "prompt": "orange eyes, pink hair",
        "wish": {"hair": "pink", "eyes": "orange"},
        "conditions": {"hair": "pink", "eyes": "orange"},
        "seed": 7,
        "model": "tiny",
        "url": f"/a/{avatar['id']}",
        "image_url": f"/images/{avatar['id']}.png",
        "thumb_url": f"/thumbs/{avatar['id']}.webp",
        "width": 64,
        "height": 64,
        "created": avatar["created"],
        "favourites": 0,
        "parents": [],
    }
    assert abs(datetime.now(UTC) - datetime.fromisoformat(avatar["created"])).total_seconds() < 60
    image = await pixels(client, avatar)
    assert image.shape == (64, 64, 3)
    upper, lower = image[:32].mean((0, 1)), image[32:].mean((0, 1))
    assert upper[2] > upper[1]  # pink has more blue than green, orange has less
    assert lower[2] < lower[1]


async def test_the_same_seed_paints_the_same_picture(client: Client) -> None:
    (one,) = await paint(client, "hair:red", seed=4)
    three = await paint(client, "hair:red", seed=3, count=3)
    assert [avatar["seed"] for avatar in three] == [3, 4, 5]
    same, other = await pixels(client, three[1]), await pixels(client, three[2])
    first = await pixels(client, one)
    assert np.abs(first - same).max() <= 1
    assert np.abs(first - other).max() > 1
    assert three[1]["conditions"] == one["conditions"]


async def test_without_a_seed_pictures_differ(client: Client) -> None:
    (one,), (other,) = await paint(client), await paint(client, seed=None)
    assert one["seed"] != other["seed"]
    assert one["wish"] == {}
    assert set(one["conditions"]) == {"hair", "eyes"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"prompt": "hair:pimk"}, "pink"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({}, "prompt"),
        ({"prompt": "x" * (MAX_LENGTH + 1)}, str(MAX_LENGTH)),
        ({"prompt": "", "count": 0}, "count"),
        ({"prompt": "", "count": 10}, "count"),
        ({"prompt": "", "count": 2.5}, "count"),
        ({"prompt": "", "count": "2"}, "count"),
        ({"prompt": "", "count": True}, "count"),
        ({"prompt": "", "seed": -1}, "seed"),
        ({"prompt": "", "seed": 2**32}, "seed"),
        ({"prompt": "", "seed": 10**400}, "seed"),
        ({"prompt": "", "seed": "7"}, "seed"),
        ({"prompt": "", "sead": 7}, "sead"),
        ([], "object"),
        ("pink hair", "object"),
    ],
)
async def test_invalid_paint_requests_name_the_key(client: Client, body: object, text: str) -> None:
    async with client.post("/api/avatars", json=body) as answer:
        assert answer.status == 400
        assert text in (await answer.json())["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"prompt": ""} x',
        b'{"prompt": "", "seed": ' + b"9" * 5000 + b"}",
        b'{"prompt": "", "seed": NaN}',
    ],
)
async def test_a_body_that_is_not_json_is_rejected(client: Client, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    async with client.post("/api/avatars", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


async def test_a_body_with_a_wrong_content_encoding_is_rejected(client: Client) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    async with client.post("/api/avatars", data=b'{"prompt": ""}', headers=headers) as answer:
        assert answer.status == 400


async def test_lone_surrogates_in_a_prompt_are_accepted(client: Client) -> None:
    body = b'{"prompt": "\\ud800 hair:pink \\u0000"}'
    headers = {"content-type": "application/json"}
    async with client.post("/api/avatars", data=body, headers=headers) as answer:
        assert answer.status == 201
        (avatar,) = await answer.json()
        assert avatar["wish"] == {"hair": "pink"}


async def test_http_errors_have_fitting_statuses(client: Client) -> None:
    async with client.post("/api/avatars", data=b'{"prompt": ""}') as answer:
        assert answer.status == 415
        assert "application/json" in (await answer.json())["error"]
    async with client.post("/api/avatars", json={"prompt": "x" * 20_000}) as answer:
        assert answer.status == 413
        assert "16 KiB" in (await answer.json())["error"]
    async with client.delete("/api/avatars") as answer:
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(",")) >= {"GET", "POST"}
        assert "DELETE" in (await answer.json())["error"]
    async with client.get("/api/nothing") as answer:
        assert answer.status == 404
        assert "/api/nothing" in (await answer.json())["error"]


async def test_a_full_queue_answers_with_retry_after(
    client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*args: object, **kwargs: object) -> None:
        raise Busy(2.4)

    monkeypatch.setattr(studio.painting, "create", busy)
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "3"
        assert (await answer.json())["error"]


async def test_internal_errors_do_not_leak_details(
    client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("/home/secret")

    monkeypatch.setattr(studio.painting, "create", broken)
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        assert answer.status == 500
        assert "secret" not in (await answer.json())["error"]


async def test_the_gallery_is_paged(client: Client) -> None:
    painted = [avatar["id"] for _ in range(3) for avatar in reversed(await paint(client, count=3))]
    newest_first = []
    cursor: dict[str, str] = {}
    while True:
        async with client.get("/api/avatars", params={"limit": "4", **cursor}) as answer:
            page = await answer.json()
        newest_first.append([avatar["id"] for avatar in page["avatars"]])
        if page["older"] is None:
            break
        cursor = {"cursor": page["older"]}
    assert [len(ids) for ids in newest_first] == [4, 4, 1]
    assert sorted(id for ids in newest_first for id in ids) == sorted(painted)
    assert set(newest_first[0]) > set(painted[-3:])
    async with client.get("/api/avatars", params={"limit": "4", "cursor": page["newer"]}) as back:
        assert [a["id"] for a in (await back.json())["avatars"]] == newest_first[1]


async def test_the_gallery_is_filtered(client: Client) -> None:
    await paint(client, "hair:pink eyes:red")
    (expected,) = await paint(client, "hair:pink eyes:blue")
    await paint(client, "hair:green eyes:blue")
    async with client.get("/api/avatars?hair=pink&eyes=blue") as answer:
        page = await answer.json()
    assert page == {"avatars": [expected], "older": None, "newer": None, "count": 1}


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("hair=pimk", "pink"),
        ("hat=red", "hat"),
        ("hair=pink&hair=red", "hair"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=١", "limit"),
        ("cursor=nonsense", "page"),
        ("cursor=%00%ff", "page"),
    ],
)
async def test_invalid_queries_name_the_key(client: Client, query: str, text: str) -> None:
    async with client.get(f"/api/avatars?{query}") as answer:
        assert answer.status == 400
        assert text in (await answer.json())["error"]


async def test_a_prompt_is_parsed(client: Client) -> None:
    async with client.get("/api/wish", params={"prompt": "blue eyes, blond hair"}) as answer:
        read = {"wish": {"hair": "blonde", "eyes": "blue"}, "prompt": "hair:blonde eyes:blue"}
        assert await answer.json() == read
    async with client.get("/api/wish", params={"prompt": "pimk hair"}) as answer:
        assert answer.status == 400


async def test_images_are_cached(client: Client) -> None:
    (avatar,) = await paint(client)
    async with client.get(avatar["image_url"]) as answer:
        assert answer.status == 200
        assert answer.content_type == "image/png"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        tag = answer.headers["ETag"]
    headers = {"If-None-Match": f'"other", {tag}'}
    async with client.get(avatar["image_url"], headers=headers) as answer:
        assert answer.status == 304
        assert await answer.read() == b""
        assert answer.headers["ETag"] == tag
    async with client.get(avatar["image_url"], headers={"If-None-Match": '"other"'}) as answer:
        assert answer.status == 200


async def test_private_deleted_and_unknown_pictures_are_indistinguishable(
    client: Client, studio: Studio, owner: Owner
) -> None:
    (private,) = await studio.painting.create({}, Request(owner, private=True))
    (deleted,) = await studio.painting.create({}, Request(owner))
    await studio.avatars.delete(deleted.id, owner)
    for id in (private.id, deleted.id, "2222bbbb", "%00", "%ED%A0%80", "a" * 3000):
        for path in (f"/images/{id}.png", f"/a/{id}"):
            async with client.get(path) as answer:
                assert answer.status == 404, path
                assert set(await answer.json()) == {"error"}
    async with client.get("/api/avatars") as answer:
        assert (await answer.json())["avatars"] == []


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


async def test_health_reports_a_broken_database(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True, "model": "tiny"})

    async def broken(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store.galleries, "page", broken)
    async with client.get("/healthz") as answer:
        assert answer.status == 503
        assert (await answer.json())["ok"] is False


async def test_metrics_are_prometheus_text(client: Client) -> None:
    await paint(client, count=3)
    async with client.get("/no/such/page"):
        pass
    async with client.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await answer.text()
    assert text.endswith("\n")
    sample = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+')
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.fullmatch(line), line
    assert "irodori_pictures_total 3" in text
    assert 'irodori_model_info{name="tiny"} 1' in text
    created = 'irodori_http_requests_total{method="POST",route="/api/avatars",status="201"} 1'
    assert created in text
    assert 'irodori_http_requests_total{method="any",route="unmatched",status="404"} 1' in text


async def test_metrics_have_histograms_of_latencies(client: Client) -> None:
    """Buckets of several processes can be added, unlike quantiles."""
    await paint(client)
    await paint(client, count=9)
    async with client.get("/metrics") as answer:
        text = await answer.text()

    def buckets(name: str, labels: str = "") -> list[float]:
        found = re.findall(rf'^{name}_bucket{{le="[^"]+"{labels}}} (.+)$', text, re.MULTILINE)
        return [float(count) for count in found]

    painting = buckets("irodori_paint_seconds")
    assert painting == sorted(painting)
    assert painting[-1] == 2
    assert "irodori_paint_seconds_count 2.0" in text
    answered = buckets("irodori_http_request_seconds", ',method="POST",route="/api/avatars"')
    assert answered[-1] == 2
    total = re.search(r'irodori_http_seconds_total{method="POST",route="/api/avatars"} (.+)', text)
    summed = re.search(
        r'irodori_http_request_seconds_sum{method="POST",route="/api/avatars"} (.+)', text
    )
    assert total is not None
    assert summed is not None
    assert float(total[1]) == pytest.approx(float(summed[1]))


async def test_every_answer_has_the_security_headers(client: Client) -> None:
    (avatar,) = await paint(client)
    for path in ("/", avatar["url"], avatar["image_url"], "/static/x/style.css", "/nothing"):
        async with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_json_is_utf8_and_round_trips(client: Client) -> None:
    (avatar,) = await paint(client, "pink hair ✿")
    async with client.get("/api/avatars") as answer:
        assert json.loads(await answer.read())["avatars"] == [avatar]
