"""The files with which the bot is deployed: container, compose, systemd, Prometheus, Grafana."""

import configparser
import fnmatch
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

import config
from bot.settings import Settings, WebSettings
from bot.studio import Studio
from bot.web.app import create_app

yaml: Any = importlib.import_module("yaml")
ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile with their arguments."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    pairs = [line.partition(" ") for line in joined.splitlines() if line]
    return [(name, argument.strip()) for name, _, argument in pairs]


def last_stage() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, argument in instructions():
        if name == "FROM":
            found = {}
        found.setdefault(name, []).append(argument)
    return found


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return loaded


def test_the_image_runs_the_bot_without_root() -> None:
    stage = last_stage()
    assert int(stage["USER"][-1]) > 0
    assert json.loads(stage["CMD"][0]) == ["python", "-m", "bot"]  # receives SIGTERM itself
    check = stage["HEALTHCHECK"][0].partition(" CMD ")[2]
    program, option, code = json.loads(check)
    assert (program, option) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "/healthz" in code


def test_the_image_contains_no_training() -> None:
    copied = [argument.split()[0] for name, argument in instructions() if name == "COPY"]
    assert "train" not in copied
    (install,) = (argument for name, argument in instructions() if "pip install" in argument)
    assert re.findall(r"\.\[(.*?)\]", install) == ["postgres"]


def test_what_the_image_copies_is_not_ignored() -> None:
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    ]
    for name, argument in instructions():
        if name == "COPY" and "--from" not in argument:
            for source in argument.split()[:-1]:
                assert (ROOT / source).exists()
                assert any(fnmatch.fnmatch(source, pattern) for pattern in allowed), source


def test_the_image_replaces_the_gpu_build_of_onnx_runtime() -> None:
    (command,) = (argument for name, argument in instructions() if "sed" in argument)
    match = re.search(r"sed -i 's/(.*?)/(.*?)/' pyproject\.toml", command)
    assert match is not None
    assert (ROOT / "pyproject.toml").read_text("utf-8").count(match[1]) == 1


def variables_of_image() -> dict[str, str]:
    return dict(re.findall(r"(IRODORI_\w+)=(\S+)", " ".join(last_stage()["ENV"])))


def variables_of_unit() -> dict[str, str]:
    text = (DEPLOY / "irodori.service").read_text("utf-8")
    return dict(re.findall(r"^Environment=(IRODORI_\w+)=(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("variables", [variables_of_image(), variables_of_unit()])
def test_the_settings_of_image_and_unit_are_valid(
    variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    settings = config.read(Settings)
    folder = "/data" if "IRODORI_WEB__PORT" in variables else "/var/lib/irodori"
    assert settings.db.url == f"sqlite+aiosqlite:///{folder}/irodori.db"
    assert settings.db.backup_dir == Path(folder) / "backups"


def test_services_of_compose() -> None:
    services = compose()["services"]
    assert {name: service.get("profiles") for name, service in services.items()} == {
        "irodori": None,
        "postgres": ["postgres"],
        "prometheus": ["metrics"],
        "grafana": ["metrics"],
    }
    bot = services["irodori"]
    assert bot["read_only"]
    assert bot["cap_drop"] == ["ALL"]
    assert bot["volumes"] == [f"data:{last_stage()['VOLUME'][0]}"]
    named = set(compose()["volumes"])
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert re.search(r":v?\d", service["image"]) or service.get("build"), name
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in named or (ROOT / source).is_file(), volume


async def test_every_metric_of_the_dashboard_is_served(studio: Studio) -> None:
    async with TestClient(TestServer(create_app(studio, WebSettings()))) as client:
        await client.get("/healthz")
        served = await (await client.get("/metrics")).text()
    names = set(re.findall(r"^(\w+)[ {]", served, re.MULTILINE))
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text("utf-8"))
    sources = yaml.safe_load((DEPLOY / "grafana" / "datasources.yaml").read_text("utf-8"))
    (source,) = sources["datasources"]
    used = set()
    for panel in dashboard["panels"]:
        assert panel["datasource"]["uid"] == source["uid"]
        for target in panel["targets"]:
            found = re.findall(r"\b(?:irodori|process)_\w+", target["expr"])
            assert found, target["expr"]
            used |= set(found)
            for label in re.findall(r"by \(([\w, ]+)\)", target["expr"]):
                assert set(label.split(", ")) <= {"le", "route", "status", "name"}
    assert used
    assert used <= names


def test_prometheus_and_grafana_reach_the_services_of_compose() -> None:
    prometheus = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    (target,) = prometheus["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target == f"irodori:{last_stage()['EXPOSE'][0]}"
    source = (DEPLOY / "grafana" / "datasources.yaml").read_text("utf-8")
    assert "http://prometheus:9090" in source
    provider = yaml.safe_load((DEPLOY / "grafana" / "dashboards.yaml").read_text("utf-8"))
    folder = provider["providers"][0]["options"]["path"]
    assert any(folder in volume for volume in compose()["services"]["grafana"]["volumes"])


def test_the_unit_of_systemd(tmp_path: Path) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(DEPLOY / "irodori.service", "utf-8")
    service = unit["Service"]
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes"
    if shutil.which("systemd-analyze") is None:
        return
    program = service["ExecStart"].split()[0]
    text = (DEPLOY / "irodori.service").read_text("utf-8")
    copy = tmp_path / "irodori.service"
    copy.write_text(text.replace(program, "/bin/true").replace("/opt/irodori\n", "/\n"), "utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "irodori.service" not in done.stderr


def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run(
        [program, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
