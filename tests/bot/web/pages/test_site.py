"""Files of the site, and the morph of the first visit."""

import io
import subprocess
import sys
from pathlib import Path

from PIL import Image

from bot.studio import Studio

from ..conftest import Client, Serve
from .html_page import get


async def test_the_morph_of_the_first_visit_is_painted_once(client: Client, studio: Studio) -> None:
    async with client.get("/welcome.webp") as answer:
        assert (answer.status, answer.content_type) == (200, "image/webp")
        with Image.open(io.BytesIO(await answer.read())) as morph:
            assert getattr(morph, "n_frames", 1) > 30
    painted = studio.engine_stats.pictures
    for path in ("/welcome.webp", "/welcome-still.webp", "/welcome.webp"):
        async with client.get(path) as answer:
            assert answer.status == 200
    with Image.open(io.BytesIO(await (await client.get("/welcome-still.webp")).read())) as still:
        assert getattr(still, "n_frames", 1) == 1
    assert studio.engine_stats.pictures == painted


async def test_files_for_browsers_and_search_engines(serve: Serve) -> None:
    client = await serve(public_url="https://faces.example.org")
    async with client.get("/robots.txt") as answer:
        assert "Disallow: /admin" in await answer.text()
    async with client.get("/manifest.webmanifest") as answer:
        assert answer.content_type == "application/manifest+json"
        manifest = await answer.json()
    for icon in manifest["icons"]:
        async with client.get(icon["src"]) as answer:
            assert answer.content_type == icon["type"]
            data = await answer.read()
        if icon["type"] == "image/png":
            assert icon["sizes"] == "{}x{}".format(*Image.open(io.BytesIO(data)).size)
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    assert "maskable" in {icon.get("purpose") for icon in manifest["icons"]}
    for path in ("/", "/find", "/gallery", "/wear"):
        page = await get(client, path)
        image = {"property": "og:image", "content": "https://faces.example.org/welcome-still.webp"}
        assert page.all("meta", **image)
        assert page.all("link", rel="manifest")


def test_icons_are_those_that_the_command_draws(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "docs/make_icons.py", str(tmp_path)], check=True)
    drawn = sorted(tmp_path.iterdir())
    assert len(drawn) == 3
    for file in drawn:
        with Image.open(file) as new, Image.open(Path("bot/web/static") / file.name) as kept:
            assert new.convert("RGBA").tobytes() == kept.convert("RGBA").tobytes()
