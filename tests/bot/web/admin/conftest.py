"""Fixtures and helpers for tests of the admin pages."""

import json
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from PIL import Image

from bot.passwords import PasswordHash

from ..conftest import Client, Serve

PASSWORD = "correct horse"


HASH = str(PasswordHash.of(PASSWORD, PasswordHasher(1, 8, 1)))


HTML = {"Accept": "text/html"}


JSON = {"Content-Type": "application/json"}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    run = tmp_path / "runs" / "faces"
    run.mkdir(parents=True)
    content = {"format": 1, "settings": {"images": 4000, "batch": 16, "data": "<faces>.zip"}}
    (run / "run.json").write_text(json.dumps(content))
    line = {"images": 1000, "seconds": 20, "images_per_second": 50, "generator": 1.5}
    (run / "log.jsonl").write_text(json.dumps(line) + '\n{"images": 20')
    Image.new("RGB", (64, 32)).save(run / "samples-000001k.png")
    return tmp_path / "runs"


@pytest.fixture
async def guest(serve: Serve, runs: Path) -> Client:
    """The admin pages are enabled, and the client is not logged in."""
    return await serve(admin_password_hash=HASH, runs=runs)


@pytest.fixture
async def admin(guest: Client) -> Client:
    assert await log_in(guest) == 303
    return guest


async def log_in(client: Client, password: str = PASSWORD, **form: str) -> int:
    async with client.post(
        "/admin/login", data={"password": password, **form}, headers=HTML, allow_redirects=False
    ) as answer:
        return answer.status


async def page(client: Client, path: str, status: int = 200) -> str:
    async with client.get(path, headers=HTML) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == "text/html"
        return await answer.text()


async def post(client: Client, path: str, status: int = 200, **headers: str) -> Any:
    async with client.post(path, data="{}", headers=JSON | headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()
