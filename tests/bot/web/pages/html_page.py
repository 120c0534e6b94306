"""Pages as their visitors get them."""

from html.parser import HTMLParser

from ..conftest import Client


class Page(HTMLParser):
    """Parses a page into tags as (name, attributes), and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and attributes.items() <= a.items()]

    def scripts(self) -> list[dict[str, str | None]]:
        """Scripts that a browser runs: the others are data."""
        return [a for a in self.all("script") if a.get("type") != "application/json"]

    def swatches(self) -> list[dict[str, str | None]]:
        return [a for a in self.all("input", type="radio") if "wish." in (a.get("name") or "")]

    def tiles(self) -> list[str]:
        hrefs = [str(a["href"]) for a in self.all("a") if a.get("class") == "tile"]
        return [href for href in hrefs if href != "/a/"]  # the href of the template


async def get(client: Client, path: str, status: int = 200) -> Page:
    async with client.get(path, headers={"Accept": "text/html"}) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == "text/html"
        return Page(await answer.text())
