"""What browsers load to paint by themselves, with a runtime of two small files."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from tiny_model import add_model

from bot.inference.engine import Engine
from bot.web import browser_runtime
from bot.web.browser_runtime import RuntimeFile
from export.registry import Registry

from ..conftest import Serve
from .html_page import get


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(tmp_path / "models")
    add_model(registry, "tiny", upscaler=True, candidates=2, directions=["hair_length"])
    registry.use("tiny")
    return registry


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runtime that is installed."""

    def write(name: str) -> RuntimeFile:
        path = tmp_path / name
        path.write_bytes(10_000 * b"wasm")
        path.with_name(f"{name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        return RuntimeFile(path, hashlib.sha256(path.read_bytes()).hexdigest(), 100)

    files = write("script.mjs"), write("binary.wasm")
    monkeypatch.setattr(browser_runtime, "installed", lambda: {"wasm": files, "webgpu": files})


@pytest.fixture
def no_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser_runtime, "installed", dict)


@pytest.mark.usefixtures("no_runtime")
async def test_without_the_runtime_the_bot_paints(serve: Serve) -> None:
    client = await serve()
    assert (await get(client, "/")).all("div", id="browser") == []
    for path in ("/service-worker.js", "/browser/0/package.json"):
        async with client.get(path) as answer:
            assert answer.status == 404


@pytest.mark.usefixtures("runtime")
async def test_all_files_of_the_package_never_change(serve: Serve) -> None:
    client = await serve()
    (box,) = (await get(client, "/")).all("div", id="browser")
    async with client.get(str(box["data-package"])) as answer:
        package = await answer.json()
    model = package["model"]
    assert (model["name"], model["candidates"], model["size"]) == ("tiny", 2, 256)
    assert [one["name"] for one in model["directions"]] == ["hair_length"]
    assert set(model["files"]) == {"generator", "scorer", "upscaler"}
    types = {".onnx": "application/octet-stream", ".wasm": "application/wasm"}
    for file in (*model["files"].values(), *package["runtimes"]["wasm"].values()):
        async with client.get(file["url"]) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
            assert answer.headers["ETag"]
            expected = types.get(Path(file["url"]).suffix, "javascript")
            assert expected in answer.headers["Content-Type"]
            assert hashlib.sha256(await answer.read()).hexdigest() == file["sha256"]
    binary = package["runtimes"]["wasm"]["binary"]["url"]
    async with client.get(binary, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) < 1000
    async with client.get(binary.replace("/browser/", "/browser/0")) as answer:
        assert answer.status == 404


@pytest.mark.usefixtures("runtime")
async def test_the_service_worker_changes_with_the_model(
    serve: Serve, engine: Engine, registry: Registry
) -> None:
    client = await serve()

    async def worker() -> tuple[str, list[str]]:
        async with client.get("/service-worker.js?backend=wasm") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/javascript"
            assert answer.headers["Cache-Control"] == "no-cache"
            text = await answer.text()
        constants = dict(re.findall(r"^const ([A-Z]+) = (.+);$", text, re.MULTILINE)[:2])
        return json.loads(constants["VERSION"]), json.loads(constants["FILES"])

    version, files = await worker()
    assert (version, files) == await worker()
    for file in files:
        async with client.get(file) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
    add_model(registry, "brighter", brightness=0.5)
    registry.use("brighter")
    await engine.refresh()
    newer, others = await worker()
    assert newer != version
    assert [file for file in files if "/static/" in file] == [f for f in others if "/static/" in f]
    assert files[0] != others[0]  # the package


@pytest.mark.usefixtures("runtime")
async def test_who_may_not_paint_does_not_get_the_switch(serve: Serve) -> None:
    client = await serve(paint="off")
    assert (await get(client, "/")).all("div", id="browser") == []
    async with client.get("/service-worker.js") as answer:
        assert answer.status == 404


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize(
    ("language", "words"), [("ja", "このブラウザーで描く"), ("zh-CN", "在此浏览器中绘制")]
)
async def test_the_switch_speaks_the_language_of_the_browser(
    serve: Serve, language: str, words: str
) -> None:
    client = await serve()
    async with client.get("/offline", headers={"Accept-Language": language}) as answer:
        text = await answer.text()
    assert f"> {words}</label>" in text
    assert "/welcome.webp" not in text  # only the bot has it
