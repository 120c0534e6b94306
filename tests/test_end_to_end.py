"""End to end: training on drawn faces, export, Discord, the web page, and a new model."""

import asyncio
import io
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from discord_server import DiscordServer
from drawn_faces import face_files, write_zip
from PIL import Image
from quick_exports import quick_exports

from export.registry import Registry
from train.__main__ import main

ROOT = Path(__file__).parents[1]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
TRAIN = [
    *("--data", "faces.zip", "--resolution", "32", "--batch", "16", "--width", "8"),
    *("--latent-dim", "16", "--features.input-size", "32", "--features.channels", "4"),
]
QUICK = {"IRODORI_JUDGE__IMAGES": "320", "IRODORI_JUDGE__FAKES": "24"}


async def train(folder: Path, *arguments: str) -> str:
    """`python -m train` on the drawn faces; returns what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "train", *TRAIN, *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **QUICK},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@dataclass
class Bot:
    """A process of `python -m bot`; `address` is the URL of the web page."""

    address: str
    output: asyncio.StreamReader

    async def wait_for_log(self, text: str) -> None:
        """Waits for a line of its output that contains the text."""
        async with asyncio.timeout(60):
            while text not in (line := (await self.output.readline()).decode()):
                assert line, f"the bot ended without {text!r}"


@asynccontextmanager
async def run_bot(folder: Path, discord: DiscordServer) -> AsyncIterator[Bot]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "--web.port", "0", "--engine.poll_seconds", "0.1"),
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DISCORD_TOKEN": discord.token,
            "IRODORI_DISCORD__API_URL": discord.api_url,
            "IRODORI_DISCORD__GATEWAY_URL": discord.gateway_url,
            "IRODORI_ENGINE__PROVIDER": "cpu",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        found = ADDRESS.search(line)
        assert found, line
        await discord.wait_connected()
        yield Bot(found.group(), process.stdout)
    finally:
        process.terminate()
        assert await process.wait() == 0


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)


@pytest.mark.timeout(900)  # trains, judges, exports and serves: the longest test
async def test_drawn_faces_are_trained_exported_and_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_zip(tmp_path / "faces.zip", face_files(96))
    output = await train(tmp_path, "--images", "800", "--name", "first")
    assert "is now in use; there was no model before it" in output
    registry = Registry(tmp_path / "models")
    first = registry.current()

    async with DiscordServer() as discord, run_bot(tmp_path, discord) as bot:
        mio = discord.member("Mio")
        reply = await (
            await mio.slash("avatar", hair="pink", eyes="orange", seed=7)
        ).wait_for_pictures()
        assert "pink hair, orange eyes" in reply.text
        painted = pixels(reply.pictures[0].data)
        assert painted.shape == (32, 32, 3)

        async with aiohttp.ClientSession(bot.address) as web:
            # The web page paints the same picture for the same seed, and lists that of Discord.
            wish = {"prompt": "hair:pink eyes:orange", "seed": 7}
            async with web.post("/api/avatars", json=wish) as answer:
                assert answer.status == 201
                (avatar,) = await answer.json()
            assert avatar["model"] == first
            async with web.get(avatar["image_url"]) as answer:
                assert np.abs(pixels(await answer.read()) - painted).max() <= 1
            async with web.get("/api/avatars", params={"hair": "pink"}) as answer:
                assert len((await answer.json())["avatars"]) == 2

            # A new model is loaded while the bot serves. It is trained in this process: importing
            # PyTorch in a new one again would be slow.
            arguments = ("--images", "160", "--name", "second", "--model-name", "newer", "--force")
            monkeypatch.chdir(tmp_path)
            for name, value in QUICK.items():
                monkeypatch.setenv(name, value)
            with quick_exports():
                main([*TRAIN, *arguments])
            assert "newer is now in use" in capsys.readouterr().out
            await bot.wait_for_log("newer takes over")
            async with web.get("/healthz") as answer:
                assert (await answer.json())["model"] == "newer"
            reply = await (
                await mio.slash("avatar", hair="pink", eyes="orange", seed=7)
            ).wait_for_pictures()
            assert np.abs(pixels(reply.pictures[0].data) - painted).max() > 1
            assert "`newer`" in (await mio.click(reply, label="ℹ️")).text
        assert discord.violations == []
