"""`python -m bot`: process, settings file and signals."""

import asyncio
import io
import json
import logging
import os
import signal
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import numpy.typing as npt
import pytest
from aiohttp import web
from PIL import Image
from tiny_model import add_model

import config
import db.backup
from bot.__main__ import main, read_settings
from bot.passwords import PasswordHash
from export.registry import Registry

ROOT = Path(__file__).parents[2]
TIMEOUT = 60  # seconds

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
def settings_file(tmp_path: Path, registry: Registry) -> Path:
    file = tmp_path / "irodori.toml"
    file.write_text(
        f"""
        [web]
        port = 0
        [db]
        url = "sqlite+aiosqlite:///{(tmp_path / "data" / "bot.db").as_posix()}"
        [models]
        dir = "{(tmp_path / "models").as_posix()}"
        [engine]
        provider = "cpu"
        threads = 1
        max_batch = 4
        poll_seconds = 0.05
        """
    )
    return file


@pytest.fixture
async def start(settings_file: Path) -> AsyncIterator[Start]:
    """Starts `python -m bot`; its processes are killed after the test."""
    processes = []

    async def run(*arguments: str, **environment: str) -> asyncio.subprocess.Process:
        inherited = {k: v for k, v in os.environ.items() if k != "DISCORD_TOKEN"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "--config", str(settings_file), *arguments),
            cwd=ROOT,
            env={**inherited, **environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def first_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), TIMEOUT)).decode().rstrip("\n")
    assert line, (await process.communicate())[1].decode()
    return line


async def log_until(process: asyncio.subprocess.Process, text: bytes) -> bytes:
    """The log of a process, up to the first line that contains the text."""
    assert process.stderr is not None
    log = b""
    while text not in log:
        line = await asyncio.wait_for(process.stderr.readline(), TIMEOUT)
        assert line, f"the bot ended: {log.decode()}"
        log += line
    return log


async def stop(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """Stops a process by SIGTERM; returns the rest of its output."""
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()


def address(line: str) -> str:
    return next(word for word in line.split() if word.startswith("http://"))


async def paint(base: str, **body: object) -> tuple[int, list[dict[str, Any]]]:
    """Sends a request without cookies and browser headers."""
    request = urllib.request.Request(
        f"{base}/api/avatars",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
        method="POST",
    )

    def send() -> tuple[int, list[dict[str, Any]]]:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.status, json.load(answer)

    return await asyncio.to_thread(send)


async def picture(base: str, avatar: dict[str, Any]) -> npt.NDArray[np.int64]:
    def fetch() -> bytes:
        with urllib.request.urlopen(base + avatar["image_url"], timeout=TIMEOUT) as answer:
            return bytes(answer.read())

    return np.asarray(Image.open(io.BytesIO(await asyncio.to_thread(fetch)))).astype(np.int64)


async def test_without_a_token_only_the_web_page_is_served(start: Start) -> None:
    process = await start()
    line = await first_line(process)
    base = address(line)
    expected = f"Irodori serves {base} with model tiny; no DISCORD_TOKEN, so Discord stays off."
    assert line == expected
    assert base.startswith("http://127.0.0.1:")
    status, (avatar,) = await paint(base, prompt="hair:pink eyes:orange", seed=7)
    assert status == 201
    before = await picture(base, avatar)
    assert await stop(process) == ("", "")

    process = await start()
    base = address(await first_line(process))
    assert np.array_equal(await picture(base, avatar), before)
    _, several = await paint(base, prompt="hair:pink eyes:orange", seed=5, count=3)
    again = await picture(base, several[2])
    assert np.abs(again - before).max() <= 1
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{base}/healthz") as answer:
            assert (await answer.json())["ok"]
        await stop(process)  # an open connection does not delay it


async def test_a_new_model_is_loaded_while_serving(start: Start, registry: Registry) -> None:
    process = await start()
    base = address(await first_line(process))
    add_model(registry, "better", brightness=0.2)
    registry.use("better")
    async with asyncio.timeout(TIMEOUT):
        while (await paint(base, prompt=""))[1][0]["model"] != "better":
            pass
    _, err = await stop(process)
    assert "better" in err


async def test_a_port_in_use_is_reported_in_one_line(start: Start) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        process = await start("--web.port", str(port))
        out, err = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode == 2
    assert out == b""
    message = err.decode()
    assert str(port) in message
    assert "--web.port" in message
    assert len(message.splitlines()) == 1


@pytest.fixture
def main_fails(
    settings_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """`main_fails(*arguments)` runs `python -m bot`, which cannot start, in this process: starting
    one takes seconds. Returns what it prints.
    """
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.setattr("bot.logs.configure", lambda *settings: None)

    def run(*arguments: str) -> str:
        assert main(["--config", str(settings_file), *arguments]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        return err

    return run


def test_a_missing_model_is_reported(main_fails: Callable[..., str], tmp_path: Path) -> None:
    assert str(tmp_path / "none") in main_fails(f"--models.dir={tmp_path / 'none'}")


def test_a_broken_model_is_not_served(main_fails: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "models" / "tiny" / "generator.onnx").write_bytes(b"broken")
    assert "generator.onnx" in main_fails()


async def test_the_web_page_stays_up_with_an_invalid_token(start: Start) -> None:
    token = "MTE0.wrong-and-secret"

    async def unauthorized(request: web.Request) -> web.Response:
        return web.json_response({"message": "401: Unauthorized", "code": 0}, status=401)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", unauthorized)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        api = f"http://127.0.0.1:{runner.addresses[0][1]}/api/v10"
        process = await start("--discord.api_url", api, DISCORD_TOKEN=token)
        line = await first_line(process)
        assert line == f"Irodori serves {address(line)} and Discord with model tiny."
        log = await log_until(process, b"does not accept")
        status, _ = await paint(address(line), prompt="")
        assert status == 201
        _, rest = await stop(process)
    finally:
        await runner.cleanup()
    err = log.decode() + rest
    assert "DISCORD_TOKEN" in err
    assert "Traceback" not in err
    assert token not in err
    assert err.count("ERROR") == 1


async def test_the_web_page_stays_up_while_discord_is_down(start: Start) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # but does not listen
        api = f"http://127.0.0.1:{closed.getsockname()[1]}/api/v10"
        process = await start("--discord.api_url", api, DISCORD_TOKEN="MTE0.secret")
        line = await first_line(process)
        log = await log_until(process, b"next try in")
        status, _ = await paint(address(line), prompt="")
        assert status == 201
        _, rest = await stop(process)
    assert "Traceback" not in log.decode() + rest
    assert "secret" not in log.decode() + rest


ENGINE_STOPS = """
import sys
from bot.__main__ import main
from bot.inference.fair_queue import FairQueue

def fail(queue):
    raise MemoryError("no memory for a batch")

FairQueue.take_batch = fail
sys.exit(main(sys.argv[1:]))
"""


async def test_the_process_ends_when_the_engine_stops(settings_file: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ENGINE_STOPS, "--config", str(settings_file)),
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "DISCORD_TOKEN"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        line = await first_line(process)
        with pytest.raises(OSError, match=r"503|reset|closed"):
            await paint(address(line), prompt="")
        _, log = await asyncio.wait_for(process.communicate(), TIMEOUT)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 1
    assert "no memory for a batch" in log.decode()
    assert log.decode().splitlines()[-1].startswith("Irodori ends: the engine stopped")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--web.prot", "9000"], "web.prot"),
        (["--web.port", "many"], "web.port"),
        (["--web.port"], "--web.port"),
        (["--train.batch", "8"], "--train.batch"),
        (["--port", "9000"], "--port"),
        (["9000"], "9000"),
        (["--config", "nowhere.toml"], "nowhere.toml"),
        (["--web.enabled", "false"], "DISCORD_TOKEN"),
    ],
)
def test_an_invalid_setting_is_reported_without_a_traceback(
    arguments: list[str],
    text: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)  # without config.toml
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    monkeypatch.setattr(logging, "basicConfig", lambda **settings: None)
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert text in err


def test_the_command_line_overrides_the_file(settings_file: Path) -> None:
    settings = read_settings(
        ["--config", str(settings_file), "--web.port=9000", "--log.level", "DEBUG"]
    )
    assert settings.web.port == 9000
    assert settings.log.level == "DEBUG"
    assert settings.engine.max_batch == 4
    with pytest.raises(config.SettingsError, match=r"web\.port"):
        read_settings(["--config", str(settings_file), "--web.port", "70000"])


def test_hash_password_prints_a_line_for_the_settings_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = iter(["correct horse"] * 2 + ["correct horse", "another horse", "short"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    assert main(["password"]) == 0
    line = capsys.readouterr().out
    file = tmp_path / "config.toml"
    file.write_text(f"[web]\n{line}")
    read = read_settings(["--config", str(file)]).web.admin_password_hash
    assert PasswordHash.parse(read).matches("correct horse")
    for problem in ("different", "at least 8"):
        assert main(["password"]) == 2
        assert problem in capsys.readouterr().err


async def test_idle_connections_do_not_use_up_the_file_descriptors(start: Start) -> None:
    resource = pytest.importorskip("resource", reason="no limits of file descriptors")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))  # the bot inherits it
    try:
        process = await start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    base = address(await first_line(process))
    url = urllib.parse.urlsplit(base)
    async with AsyncExitStack() as stack:
        for i in range(500):
            connecting = asyncio.open_connection(url.hostname, url.port)
            _, writer = await asyncio.wait_for(connecting, TIMEOUT)
            stack.callback(writer.transport.abort)
            if i % 2:
                writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        status, _ = await paint(base, prompt="")
        assert status == 201
    _, err = await stop(process)
    assert "Traceback" not in err
    assert err.count("ERROR") <= 1


async def test_backups_are_written_while_the_bot_runs(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    process = await start(IRODORI_DB__BACKUP_HOURS="24", IRODORI_DB__BACKUP_DIR=str(folder))
    await first_line(process)
    assert process.stderr is not None
    line = (await asyncio.wait_for(process.stderr.readline(), TIMEOUT)).decode()
    (file,) = folder.iterdir()
    assert f"backup {file}: 0 pictures" in line
    await stop(process)
    assert db.backup.verify(file).pictures == 0
