"""Takes the README's pictures of the bot in Discord.

The real bot, with the model in use, serves a stand-in Discord; what it sends there is drawn in
Discord's look.

    python docs/take_discord_pictures.py

It needs Chromium and the fonts that Discord has, as of Debian: chromium fonts-noto-core
fonts-noto-cjk fonts-noto-color-emoji.
"""

import asyncio
import base64
import contextlib
import html
import io
import itertools
import os
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image
from playwright.async_api import async_playwright

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT), str(ROOT / "tests")]

from discord_server import DiscordServer, Reply, UserClient  # noqa: E402

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
MORPH_BYTES = 120_000  # what a README can bear
PAINTERS = {
    "Ren": "silver blonde aqua red purple black pink green orange",
    "Sora": "brown pink aqua black white blonde red purple green",
}


@dataclass(frozen=True)
class Shot:
    """One picture: what somebody typed, and what the bot answered."""

    name: str
    person: str
    typed: tuple[str, dict[str, str]]
    reply: Reply
    language: str

    @property
    def files(self) -> dict[str, str]:
        return {file.url: data_url(file.content_type, file.data) for file in self.reply.attachments}

    @property
    def loose(self) -> list[str]:
        """The pictures that no component shows."""
        shown = repr(self.reply.components)
        return [url for key, url in self.files.items() if key not in shown]


async def main() -> None:
    programs = ("chromium-headless-shell", "chromium", "google-chrome")
    chromium = next(filter(None, map(shutil.which, programs)), None)
    if chromium is None:
        sys.exit("this needs Chromium: apt-get install chromium")
    async with DiscordServer(deadline=30, timeout=120) as discord:
        with tempfile.TemporaryDirectory() as folder:
            async with running_bot(discord, Path(folder)):
                shots = await visit(discord)
    await photograph(chromium, shots)


@contextlib.asynccontextmanager
async def running_bot(discord: DiscordServer, folder: Path) -> AsyncIterator[None]:
    environment = {
        **os.environ,
        "DISCORD_TOKEN": discord.token,
        "IRODORI_DISCORD__API_URL": discord.api_url,
        "IRODORI_DISCORD__GATEWAY_URL": discord.gateway_url,
    }
    settings = [
        *("--db.url", f"sqlite+aiosqlite:///{folder}/irodori.db"),
        *("--web.enabled", "false"),
    ]
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *settings, cwd=ROOT, env=environment
    )
    try:
        await discord.wait_connected()
        yield
    finally:
        bot.terminate()
        await bot.wait()


async def visit(discord: DiscordServer) -> list[Shot]:
    """What some members do of an afternoon."""
    mika = discord.member("Mika")
    yuki = discord.member("Yuki", locale="ja")
    shots = []

    async def shoot(name: str, person: UserClient, command: str, **options: Any) -> Reply:
        reply = await person.slash(command, **options)
        assert isinstance(reply, Reply), "an answer, not a form"
        if command != "settings":  # a slow machine says first that it is painting
            await discord.wait_until(lambda: reply.attachments, f"the pictures of /{command}", 30)
        typed = (own_name(discord, command, person), {k: str(v) for k, v in options.items()})
        shots.append(Shot(name, str(person), typed, reply, person.user.locale))
        return reply

    seeds = itertools.count(100)
    for name, colours in PAINTERS.items():
        for number, colour in enumerate(colours.split()):
            made = await discord.member(name).slash("avatar", hair=colour, seed=next(seeds))
            if number % 2 == 0:
                await mika.click(made, label="♥️")
    await shoot("avatar", mika, "avatar", hair="pink", eyes="orange", seed=35)
    await shoot("sheet", mika, "avatar", eyes="blue", count=9, seed=40)
    first, second = ids_of(shots[0].reply)[0], ids_of(shots[1].reply)[3]
    await shoot("mix", mika, "mix", a=first, b=second, seed=3)
    discord.file_bytes, usual = MORPH_BYTES, discord.file_bytes
    await shoot("morph", mika, "morph", a=first, b=second)
    discord.file_bytes = usual
    await shoot("gallery", mika, "gallery", sort="loved")
    await shoot("settings", yuki, "settings")
    return shots


def own_name(discord: DiscordServer, command: str, person: UserClient) -> str:
    """What a command is called in the person's language."""
    (known,) = [c for c in discord.commands[None].values() if c["name"] == command]
    names: dict[str, str] = known.get("name_localizations") or {}
    return names.get(person.user.locale, command)


def ids_of(reply: Reply) -> list[str]:
    """Of the pictures in an answer."""
    return [re.sub(r"irodori-|\..*", "", picture.filename) for picture in reply.pictures]


async def photograph(chromium: str, shots: list[Shot]) -> None:
    """Each shot to docs/discord-<name>.webp; the morph moves, so it is kept as it is."""
    page_source = environment().get_template("discord_look.html.j2")
    icon = next(iter(shots[0].files.values()))
    for shot in shots:
        if shot.name == "morph":
            (ROOT / "docs" / "discord-morph.webp").write_bytes(shot.reply.attachments[0].data)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = await browser.new_page(viewport={"width": 720, "height": 900}, device_scale_factor=2)
        await page.set_content(page_source.render(shots=shots, icon=icon))
        for shot in shots:
            if shot.name != "morph":
                png = await page.locator(f"#{shot.name}").screenshot()
                target = ROOT / "docs" / f"discord-{shot.name}.webp"
                Image.open(io.BytesIO(png)).convert("RGB").save(target, quality=75, method=6)
        await browser.close()


def environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "docs"), autoescape=True, undefined=jinja2.Undefined
    )
    found.filters["discord"] = markdown
    found.filters["into"] = lambda url, files: files[url]
    return found


def markdown(text: str) -> Any:
    """As much of Discord's Markdown as the bot writes."""
    lines = []
    for line in html.escape(text, quote=False).split("\n"):
        line = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", line)
        line = re.sub(r"`([^`]+)`", r"<code>\1</code>", line)
        line = re.sub(r"&lt;@(\d+)&gt;", r'<span class="mention">@member</span>', line)
        line = re.sub(r"\\([*_~|`>\-#.])", r"\1", line)
        if line.startswith("### "):
            line = f"<h3>{line[4:]}</h3>"
        elif line.startswith("-# "):
            line = f"<small>{line[3:]}</small>"
        else:
            line += "\n"
        lines.append(line)
    return jinja2.filters.do_mark_safe("".join(lines).rstrip("\n"))


def data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


if __name__ == "__main__":
    asyncio.run(main())
