"""The documentation names what exists."""

import re
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from bot.settings import Settings, WebSettings
from bot.studio import Studio
from bot.web.app import create_app, openapi_document

DOCS = Path(__file__).parents[1] / "docs"


def without_queries(text: str) -> str:
    return re.sub(r"\?[^`|\s]*", "", text)


def test_web_api_names_every_endpoint_and_no_other() -> None:
    text = without_queries((DOCS / "web-api.md").read_text("utf-8"))
    named = {
        (method, path.replace("<id>", "{id}"))
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
        assert key in sections[section].model_fields, f"{section}.{key}"


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
