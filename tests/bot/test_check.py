"""`python -m bot --check` and `python -m bot sync`."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from discord_server import DiscordServer

from bot.__main__ import main
from export.registry import Registry

ROOT = Path(__file__).parents[2]
TIMEOUT = 60


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


def environment(discord: DiscordServer, token: str | None) -> dict[str, str]:
    return {
        "IRODORI_DISCORD__API_URL": discord.api_url,
        "IRODORI_ENGINE__PROVIDER": "cpu",
        "IRODORI_WEB__PORT": "0",
        "DISCORD_TOKEN": discord.token if token is None else token,
    }


async def run(
    folder: Path, discord: DiscordServer, *arguments: str, token: str | None = None
) -> tuple[int, str]:
    """Runs `python -m bot`; returns exit status and output."""
    variables = environment(discord, token)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode is not None
    token = variables["DISCORD_TOKEN"]
    assert not token or token not in printed.decode()
    return process.returncode, printed.decode()


Check = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def check(
    discord: DiscordServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Check:
    """`python -m bot --check` in this process, since starting one takes two seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("logging.disable", lambda: None)

    async def check(*arguments: str, token: str | None = None) -> tuple[int, str]:
        for name, value in environment(discord, token).items():
            monkeypatch.setenv(name, value)
        status = await asyncio.to_thread(main, ["--check", *arguments])
        printed = capsys.readouterr()
        assert printed.err == ""
        assert os.environ["DISCORD_TOKEN"] not in printed.out
        return status, printed.out

    return check


def entries(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


async def test_check_succeeds_with_a_valid_configuration(
    discord: DiscordServer, registry: Registry, tmp_path: Path
) -> None:
    before = entries(tmp_path)
    status, output = await run(tmp_path, discord, "--check")
    assert status == 0, output
    assert entries(tmp_path) == before
    lines = output.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    parts = [line.removeprefix("ok").split(":")[0].strip() for line in lines]
    assert parts == [
        "configuration",
        "database",
        "model",
        "web page",
        "token",
        "Discord",
        "permissions",
    ]


async def test_check_reports_every_problem(
    registry: Registry, tmp_path: Path, check: Check
) -> None:
    (tmp_path / "models" / "tiny" / "generator.onnx").write_bytes(b"broken")
    (tmp_path / "file").touch()
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        status, output = await check(
            *("--web.port", str(server.getsockname()[1])),
            *("--db.url", "sqlite+aiosqlite:///file/irodori.db"),
            token="a-secret-of-another-kind",
        )
    assert status == 1
    assert [line.split(":")[0].split()[-1] for line in output.splitlines()] == [
        "configuration",
        "database",
        "model",
        "page",
        "token",
    ]
    assert output.count("wrong ") == 4
    for text in ("generator.onnx", "listens there", "does not look like a bot's token"):
        assert text in output
    assert "Traceback" not in output


async def test_check_reports_a_token_that_discord_rejects(
    discord: DiscordServer, registry: Registry, check: Check
) -> None:
    elsewhere = discord.guild("Elsewhere", has_bot=False)
    discord.default_guild.members[discord.bot.id] = 0
    status, output = await check("--discord.guild", str(elsewhere.id))
    assert status == 1
    assert "Studio (" in output
    assert "attach files" in output
    assert f"no access to server {elsewhere.id}" in output
    discord.token = discord.token[:-1] + "x"
    status, output = await check(token=discord.token[:-1] + "y")
    assert status == 1
    assert "does not accept the token" in output


async def test_check_reports_an_invalid_setting(check: Check) -> None:
    status, output = await check("--web.prot", "1")
    assert status == 1
    assert "web.prot" in output


async def test_sync_sends_commands_even_if_unchanged(
    discord: DiscordServer, registry: Registry, tmp_path: Path
) -> None:
    guild = discord.default_guild.id
    for syncs in (1, 2):
        status, output = await run(tmp_path, discord, "sync", "--guild", str(guild))
        assert status == 0, output
        assert discord.syncs == syncs
    assert "avatar" in output
    assert {command["name"] for command in discord.commands[guild].values()} >= {"avatar", "mix"}
    assert not discord.commands.get(None)
    assert discord.violations == []


def test_sync_needs_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    assert main(["sync"]) == 2
    assert "DISCORD_TOKEN is not set" in capsys.readouterr().err
