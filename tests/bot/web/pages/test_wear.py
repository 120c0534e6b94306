"""The page that shows how to use faces by name."""

from ..conftest import Client
from .html_page import get


async def test_the_wear_page_shows_a_name_and_lines_to_copy(client: Client) -> None:
    page = await get(client, "/wear?name=Zo%C3%AB&values=hair:pink")
    (face,) = page.all("img", id="face")
    assert face["src"] == "/avatar/hair:pink/Zo%C3%AB.png"
    address = str(client.make_url("/")).rstrip("/") + str(face["src"])
    for line in (f"[img]{address}[/img]", f"![Zoë]({address})", f'<img src="{address}"'):
        assert line in page.text
    assert address.replace("/avatar/", "/avatar/v/tiny/") in page.text
    async with client.get(str(face["src"])) as answer:
        assert answer.status == 200
    assert "blue" in (await get(client, "/wear?values=hair:bleu", 400)).text
