"""Fixtures and helpers for tests of the API."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from tiny_model import add_model

from bot.inference.engine import Engine
from export.registry import Registry

from ..conftest import Client


async def paint(client: Client, prompt: str = "", **more: object) -> list[dict[str, Any]]:
    async with client.post("/api/avatars", json={"prompt": prompt, **more}) as answer:
        assert answer.status == 201, await answer.text()
        avatars: list[dict[str, Any]] = await answer.json()
        return avatars


async def pixels(client: Client, avatar: dict[str, Any]) -> npt.NDArray[np.int64]:
    async with client.get(avatar["image_url"]) as answer:
        return np.asarray(Image.open(io.BytesIO(await answer.read()))).astype(np.int64)


JSON = {"content-type": "application/json"}


async def post(client: Client, path: str, status: int = 201, **body: object) -> Any:
    async with client.post(path, json=body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def get(client: Client, path: str, status: int = 200) -> Any:
    async with client.get(path) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def image(client: Client, path: str) -> Image.Image:
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return Image.open(io.BytesIO(await answer.read()))


@pytest.fixture
async def large(registry: Registry, engine: Engine) -> None:
    """The model in use can also paint at 256 pixels."""
    add_model(registry, "large", upscaler=True)
    registry.use("large")
    await engine.refresh()
