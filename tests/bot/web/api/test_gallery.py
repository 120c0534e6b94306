"""Gallery: pages, filters, families, facets and matrix."""

import pytest

from bot.studio import Request, Studio
from db.records import Owner

from ..conftest import Client
from .conftest import JSON, get, paint, post


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
    (public,) = await paint(client)
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
        f"/api/transition?a={public['id']}&b={id}",
        f"/api/morph.webp?ids={public['id']},{id}",
    ):
        assert set(await get(client, path, 404)) == {"error"}
    for action, body in (
        ("again", {}),
        ("recolour", {"wish": {"hair": "blue"}}),
        ("variations", {}),
        ("favourite", {}),
    ):
        await post(client, f"/api/avatars/{id}/{action}", 404, **body)
    await post(client, "/api/mix", 404, a=id, b=public["id"])
    async with client.delete(f"/api/avatars/{id}", headers=JSON) as answer:
        assert answer.status == 404
    assert (await get(client, "/api/facets"))["hair"]["red"] == (
        public["conditions"]["hair"] == "red"
    )
    assert id not in str(await get(client, "/api/matrix"))
