"""Pages in the language of their visitor, and words that are not in the catalog of messages."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

from bot.i18n.messages import LANGUAGES, LOCALES
from bot.studio import Request, Studio
from bot.web.languages import COOKIE, VARY
from bot.web.pages.render import SHARED_WORDS
from db.records import Owner

from ..conftest import Client
from .html_page import Page

WEB = Path("bot/web")
STATIC = WEB / "static"
TEMPLATES = list((WEB / "templates").glob("*.html"))
# Scripts of the admin pages, which are in English.
SCRIPTS = [file for file in STATIC.rglob("*.js") if "admin" not in str(file.relative_to(STATIC))]
# Names, units, and what is typed into Discord or a program.
NO_WORDS = re.compile(
    r"Irodori|Discord|JavaScript|Enter|Backspace|Esc|README|Markdown|BBCode|HTML|CORS|Gravatar"
    r"|English|px|zip|alt|width|height|src|img|nelly|avatar|tiny|d=|[\w-]+:[\w-]+|\S*[/?.]\S+|ID\b"
)
WORD = re.compile(r"[A-Za-z]{2,}")
SHOWN = ("alt", "title", "aria-label", "placeholder")


def english(text: str) -> list[str]:
    return WORD.findall(NO_WORDS.sub(" ", text))


class Shown(Page):
    """A page, with the text of what is visible and not in another language."""

    def __init__(self, html: str) -> None:
        self.words: list[str] = []
        self._silent = False
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        super().handle_starttag(tag, attrs)
        given = dict(attrs)
        self._silent = tag in ("script", "code") or ("lang" in given and tag != "html")
        self.words += [value for name in SHOWN if (value := given.get(name))]
        if given.get("name") == "description" or str(given.get("property")).startswith("og:desc"):
            self.words.append(given["content"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if not self._silent:
            self.words.append(data)


@pytest.mark.parametrize(
    ("query", "cookie", "header", "language"),
    [
        ("", "", "", "en"),
        ("", "", "fr, ja;q=0.8, en;q=0.5", "ja"),
        ("", "zh-CN", "ja", "zh-CN"),
        ("?lang=ja", "zh-CN", "en", "ja"),
        ("?lang=ZH-cn", "", "en", "zh-CN"),
        ("?lang=xx", "", "ja", "ja"),
    ],
)
async def test_the_language_of_a_page(
    client: Client, query: str, cookie: str, header: str, language: str
) -> None:
    headers = {"Accept": "text/html", "Accept-Language": header, "Cookie": f"{COOKIE}={cookie}"}
    for path, status in (("/", 200), ("/gallery", 200), ("/wear", 200), ("/nowhere", 404)):
        async with client.get(f"{path}{query}", headers=headers) as answer:
            assert answer.status == status
            page = Page(await answer.text())
            assert page.all("html", lang=language)
            assert page.all("a", lang=language) == page.all("a", lang=language, hreflang=language)
            (current,) = [a for a in page.all("a") if a.get("hreflang") and "aria-current" in a]
            assert current["hreflang"] == language
            assert answer.headers["Content-Language"] == language
            assert answer.headers["Vary"].startswith(VARY)
            assert "private" in answer.headers["Cache-Control"]
            chosen = answer.cookies.get(COOKIE)
            assert (chosen.value if chosen else "") == (
                language if "xx" not in query and query else ""
            )


async def test_a_chosen_language_is_remembered(client: Client) -> None:
    await client.get("/find?prompt=pink+hair&lang=ja")
    async with client.get("/gallery") as answer:
        assert Page(await answer.text()).all("html", lang="ja")
    # for what scripts show on this page, too
    async with client.post("/api/avatars", json={"prompt": "pimk hair"}) as answer:
        assert "もしかして：ピンク" in (await answer.json())["error"]
        assert answer.headers["Vary"] == VARY
    async with client.post("/api/avatars", json={"prompt": "pink", "seed": "x"}) as answer:
        assert "0 から 4294967295 までの整数" in (await answer.json())["error"]
    async with client.get("/find?prompt=pink+hair") as answer:
        page = Page(await answer.text())
    (english_page,) = page.all("a", hreflang="en")
    assert english_page["href"] == "?prompt=pink+hair&lang=en"


async def test_link_previews_and_the_manifest_are_translated(client: Client) -> None:
    async with client.get("/?lang=ja") as answer:
        page = Page(await answer.text())
    (title,) = page.all("meta", property="og:title")
    assert title["content"] == "Irodori：顔を描く"
    assert page.all("meta", property="og:locale", content="ja_JP")
    assert {link["hreflang"] for link in page.all("link", rel="alternate")} == set(LANGUAGES)
    (manifest,) = page.all("link", rel="manifest")
    async with client.get(str(manifest["href"])) as answer:
        assert (await answer.json())["description"].startswith("だれも")


@pytest.mark.parametrize("language", LANGUAGES[1:])
async def test_translated_pages_contain_no_english_words(
    client: Client, studio: Studio, owner: Owner, language: str
) -> None:
    a, b = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    (child,) = await studio.family.mix(a.id, b.id, Request(owner))
    await studio.family.recolor(child.id, {"hair": "blue"}, Request(owner))
    await studio.avatars.toggle_favorite(child.id, owner)
    paths = ["/", "/?prompt=pimk", "/find", "/gallery", "/gallery?sort=loved&hair=black&eyes=red"]
    paths += [f"/a/{child.id}", f"/proof/{child.id}", "/matrix", "/mine", "/mine?scope=favourites"]
    paths += ["/wear", "/privacy", "/terms", "/nowhere", "/gallery?sort=best", "/gallery?cursor=x"]
    for path in paths:
        headers = {"Accept": "text/html", "Accept-Language": language}
        async with client.get(path, headers=headers) as answer:
            page = Shown(await answer.text())
        found = english(" | ".join(page.words).replace("pimk", "").replace(child.id, ""))
        found = [word for word in found if word != "MB"]  # the unit
        if path.startswith(("/privacy", "/terms")):
            found = [word for word in found if word not in ("Cookie", "privacy", "find")]
        if "sort=best" in path:
            found = [word for word in found if word not in ("sort", "new", "loved", "best")]
        assert found == [], path


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_templates_contain_no_words_of_their_own(file: Path) -> None:
    tree = jinja2.Environment().parse(file.read_text("utf-8"))
    html = "".join(
        part.data if isinstance(part, nodes.TemplateData) else " "
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    )
    found = [english(text) for text in Shown(html).words]
    # Strings in expressions: keys of messages have hyphens instead of spaces and capitals.
    strings = [node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]
    sentences = [s for s in strings if re.search(r"[A-Za-z] [A-Za-z]|^[A-Z][a-z]", s)]
    found.append([s for s in sentences if not re.search(r'Irodori|[<>"]', s)])
    assert [words for words in found if words] == []


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_scripts_contain_no_words_of_their_own(file: Path) -> None:
    code = re.sub(r"^\s*(//|\*|/\*\*).*$", "", file.read_text("utf-8"), flags=re.MULTILINE)
    code = re.sub(r"new Error\(`the(re is no)? message .*`\)", "", code)  # for programmers
    strings = re.findall(r'"([^"\n]*)"', code)
    strings += [re.sub(r"\$\{[^{}]*\}", "1", s) for s in re.findall(r"`([^`]*)`", code)]
    sentence = r"[a-z\d] [a-z]+([ .…!]|$)|[a-z]\.$|^[A-Z][a-z]+ "
    selector = r"[<>#\[\]()=/]|^\."
    shown = [s for s in strings if re.search(sentence, s) and not re.search(selector, s)]
    shown += re.findall(r'(?:textContent|\.alt|\.title|placeholder) = "([^"]+)"', code)
    assert shown == []


def imports(file: Path) -> Iterator[Path]:
    """A script and all that it imports."""
    yield file
    for name in re.findall(r'^import .*?"(\./[^"]+|\.\./[^"]+)";', file.read_text("utf-8"), re.M):
        yield from imports((file.parent / name).resolve().relative_to(Path.cwd()))


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_pages_have_the_words_of_their_scripts(file: Path) -> None:
    text = file.read_text("utf-8")
    topics = re.search(r"set topics = \(([^)]*)\)", text)
    given = re.findall(r'"(\w+)"', topics[1]) if topics else []
    prefixes = (*SHARED_WORDS, *(f"script-{topic}-" for topic in given))
    needed: set[str] = set()
    for name in re.findall(r"static\['([\w./-]+\.js)'\]", text):
        for script in set(imports(STATIC / name)):
            needed.update(re.findall(r'"((?:script|words|card|page)-[\w-]+)"', script.read_text()))
    missing = [key for key in needed if not key.startswith(prefixes)]
    assert missing == []
    used = {key.split("-")[1] for key in needed if key.startswith("script-")}
    assert set(given) <= used


def test_every_message_of_pages_and_scripts_is_used_and_exists() -> None:
    code = [file.read_text("utf-8") for file in (*TEMPLATES, *SCRIPTS, *WEB.rglob("*.py"))]
    used = set(re.findall(r'"((?:page|script)-[\w-]+)"', "\n".join(code)))
    # `say("page-section-" ~ name)`
    composed = {key for key in used if key.endswith("-")}
    known = set()
    for file in (LOCALES / "en").glob("*.ftl"):
        known.update(re.findall(r"^((?:page|script)-[\w-]+) =", file.read_text("utf-8"), re.M))
    assert used - composed - known == set()
    assert {key for key in known - used if not key.startswith(tuple(composed))} == set()


async def test_words_of_scripts_are_a_data_block(client: Client) -> None:
    async with client.get("/?lang=ja") as answer:
        html = await answer.text()
    block = re.search(r'<script type="application/json" id="words">(.*)</script>', html)
    assert block is not None
    words = json.loads(block[1])
    assert words["value-pink"] == "ピンク"
    assert words["script-studio-painted"] == ["描けました：", {"name": "face"}]


async def test_swatches_write_words_of_the_visitor(client: Client, studio: Studio) -> None:
    for language in LANGUAGES:
        async with client.get("/", headers={"Accept-Language": language}) as answer:
            swatches = Page(await answer.text()).swatches()
        chosen = {}
        for swatch in swatches:
            if swatch["value"]:
                attribute = str(swatch["name"]).removeprefix("wish.")
                value = {attribute: swatch["value"]}
                assert studio.painting.parse(str(swatch["data-words"])) == value
                chosen[attribute] = swatch
        both = " ".join(str(swatch["data-words"]) for swatch in chosen.values())
        assert studio.painting.parse(both) == {a: s["value"] for a, s in chosen.items()}
