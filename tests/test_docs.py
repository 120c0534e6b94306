"""The documentation names exactly the existing commands, endpoints and settings."""

import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.settings import Settings, WebSettings
from bot.studio import Studio
from bot.web.app import create_app, openapi_document
from train.__main__ import COMMANDS
from train.settings import TrainSettings, nested_section

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
README_LINES = 150


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(
        r"^( *)```.*?^\1```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )


def links(page: Path) -> list[str]:
    """Targets of Markdown links and pictures and of HTML pictures; no absolute URLs."""
    found = re.findall(r"\]\(([^)\s]+)\)|<img [^>]*src=\"([^\"]+)\"", prose(page))
    targets = [markdown or html for markdown, html in found]
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The fragments that GitHub gives a page's headings."""
    slugs: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-")
        slugs.add(next(s for n in count() if (s := f"{slug}-{n}" if n else slug) not in slugs))
    return slugs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file_or_heading(page: Path) -> None:
    for target in links(page):
        path, _, fragment = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if fragment:
            assert fragment in anchors(file), f"{page.name} links to {target}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    found: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        found.add(page)
        linked = ((page.parent / link.partition("#")[0]).resolve() for link in links(page))
        todo += [file for file in linked if file in PAGES and file not in found]
    assert set(PAGES) <= found


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= README_LINES


def test_discord_page_names_every_command_and_no_other() -> None:
    named = set(re.findall(r"`/([a-z]+)[ `]", (DOCS / "discord.md").read_text("utf-8")))
    messages = "\n".join(
        file.read_text("utf-8") for file in (ROOT / "bot/i18n/locales/en").glob("*.ftl")
    )
    assert named == set(re.findall(r"^command-([a-z]+) =", messages, re.MULTILINE))


def test_training_page_names_every_command_and_section_and_no_other() -> None:
    text = (DOCS / "training.md").read_text("utf-8")
    table = text[text.index("| `python -m train …` | does |") : text.index("Each command has")]
    _, *commands = re.findall(r"^\| `(\w+)", table, re.MULTILINE)  # without the heading
    assert set(commands) == set(COMMANDS)
    sections = {
        name
        for name, field in TrainSettings.model_fields.items()
        if nested_section(field.annotation) is not None
    }
    assert set(re.findall(r"^\| `\[train\.(\w+)\]`", text, re.MULTILINE)) == sections


def without_queries(text: str) -> str:
    return re.sub(r"\?[^`|\s]*", "", text)


def test_web_api_names_every_endpoint_and_no_other() -> None:
    text = without_queries((DOCS / "web-api.md").read_text("utf-8"))
    named = {
        (method, re.sub(r"<(\w+)>", r"{\1}", path))
        for method, path in re.findall(r"`(GET|POST|DELETE) (/\S+?)`", text)
    }
    paths: dict[str, Any] = openapi_document()["paths"]
    assert named == {(method.upper(), path) for path, item in paths.items() for method in item}


def test_operating_names_only_settings_that_exist() -> None:
    text = (DOCS / "operating.md").read_text("utf-8")
    sections = {name: field.annotation for name, field in Settings.model_fields.items()}
    named = re.findall(rf"`({'|'.join(sections)})\.(\w+)", text)
    assert named
    for section, key in named:
        assert key in getattr(sections[section], "model_fields", {}), f"{section}.{key}"


async def test_operating_names_every_metric_and_no_other(studio: Studio) -> None:
    async with TestClient(TestServer(create_app(studio, WebSettings()))) as client:
        await client.get("/healthz")
        served = await (await client.get("/metrics")).text()
    exported = {
        name
        for name in re.findall(r"^# TYPE (\w+)", served, re.MULTILINE)
        if name.startswith("irodori_")
    }
    text = (DOCS / "operating.md").read_text("utf-8")
    table = text[text.index("| metric |") : text.index("For a percentile")]
    assert set(re.findall(r"`(irodori_\w+)", table)) == exported
