"""Settings in the forms in which shells, containers and Kubernetes give them."""

import argparse
import os
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest

import config
from bot.__main__ import read_settings
from bot.settings import Settings
from db.engine import parse_url
from train import options
from train.settings import FeatureSettings, TrainingSettings

ROOT = Path(__file__).parents[2]

SERVICE_LINKS = {  # of the services "irodori" and "irodori-web"
    "IRODORI_PORT": "tcp://10.0.0.7:8080",
    "IRODORI_SERVICE_HOST": "10.0.0.7",
    "IRODORI_SERVICE_PORT": "8080",
    "IRODORI_SERVICE_PORT_HTTP_METRICS": "8080",
    "IRODORI_PORT_8080_TCP": "tcp://10.0.0.7:8080",
    "IRODORI_PORT_8080_TCP_PROTO": "tcp",
    "IRODORI_PORT_8080_TCP_PORT": "8080",
    "IRODORI_PORT_8080_TCP_ADDR": "10.0.0.7",
    "IRODORI_WEB_PORT": "udp://10.0.0.8:53",
    "IRODORI_WEB_SERVICE_HOST": "10.0.0.8",
    "IRODORI_WEB_PORT_53_UDP_ADDR": "10.0.0.8",
}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_service_links_of_kubernetes_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in SERVICE_LINKS.items():
        monkeypatch.setenv(variable, value)
    assert config.read(Settings).model_dump() == Settings().model_dump()


@pytest.mark.parametrize(
    ("variable", "hint"),
    [("IRODORI_WEB_PORT", "IRODORI_WEB__PORT"), ("IRODORI_PORT", "known: discord, web")],
)
def test_mistyped_variables_are_not_taken_for_service_links(
    variable: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "9000")
    with pytest.raises(config.SettingsError, match=f"{variable}: unknown section.*{hint}"):
        config.read(Settings)


@pytest.mark.parametrize(
    ("text", "admins"),
    [("1,2", (1, 2)), (" 1 , 2,", (1, 2)), ("[1, 2]", (1, 2)), ('["1"]', (1,)), ("1", (1,))],
)
def test_lists_are_texts_with_commas_or_json(
    text: str, admins: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_settings(["--discord.admins", text]).discord.admins == admins
    monkeypatch.setenv("IRODORI_DISCORD__ADMINS", text)
    assert read_settings([]).discord.admins == admins


def test_a_list_of_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = (ip_network("127.0.0.1"), ip_network("fd00::/8"))
    for text in ("127.0.0.1,fd00::/8", '["127.0.0.1", "fd00::/8"]'):
        monkeypatch.setenv("IRODORI_WEB__TRUSTED_PROXIES", text)
        assert config.read(Settings).web.trusted_proxies == networks


@pytest.mark.parametrize("text", ["1,x", "[1, 2", "1;2"])
def test_a_wrong_list_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(config.SettingsError, match=r"discord\.admins"):
        read_settings(["--discord.admins", text])


@pytest.mark.parametrize("words", [["4,8"], ["[4, 8]"], ["4", "8"]])
def test_lists_of_a_training(words: list[str]) -> None:
    parser = argparse.ArgumentParser()
    options.add_flags(parser, "features", FeatureSettings)
    given = options.given_flags(parser.parse_args(["--strides", *words]), "features")
    assert FeatureSettings(**given).strides == (4, 8)


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("config.toml").write_text("[web]\nport = 9000\n[discord]\nadmins = [1]\n")
    for variable in (
        "WEB__PORT",
        "DISCORD__ADMINS",
        "DISCORD__GUILD",
        "WEB__ENABLED",
        "NO_SECTION",
    ):
        monkeypatch.setenv(f"IRODORI_{variable}", "")
    settings = config.read(Settings)
    assert (settings.web.port, settings.discord.admins) == (9000, (1,))
    assert settings.discord.guild is None
    assert settings.web.enabled


def test_paths_may_begin_with_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / "settings").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    (home / "settings" / "irodori.toml").write_text('[models]\ndir = "~/models"\n')
    monkeypatch.setenv("IRODORI_WEB__RUNS", "~/runs")
    monkeypatch.setenv("IRODORI_TRAIN__DATA", "~/faces.zip")
    arguments = ["--config=~/settings/irodori.toml", "--db.url=sqlite+aiosqlite:///~/bot.db"]
    settings = read_settings(arguments)
    assert settings.models.dir == home / "models"
    assert settings.web.runs == home / "runs"
    assert parse_url(settings.db.url).database == str(home / "bot.db")
    assert config.read(TrainingSettings).train.data == home / "faces.zip"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/faces", "a host name of its own.*use https://example.org"),
        ("https://example.org/?a=b", "a host name of its own"),
        ("faces.example.org", "must begin with https://"),
        ("ftp://example.org", "must begin with https://"),
    ],
)
def test_a_public_url_with_a_path_is_refused(url: str, reason: str) -> None:
    with pytest.raises(config.SettingsError, match=rf"web\.public_url: .*{reason}"):
        read_settings(["--web.public_url", url])


@pytest.mark.parametrize("url", ["", "https://example.org", "http://[::1]:8080/"])
def test_a_public_url_without_a_path_is_accepted(url: str) -> None:
    assert read_settings(["--web.public_url", url]).web.public_url == url


def test_a_wrong_proxy_is_refused_without_its_password() -> None:
    with pytest.raises(config.SettingsError, match=r"discord\.proxy.*an HTTP proxy") as error:
        read_settings(["--discord.proxy", "socks5://me:secret@proxy:1080"])
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("command", "encoding"),
    [("bot", "cp1252"), ("bot", "ascii:strict"), ("db", "ascii:strict"), ("export", "cp1252")],
)
def test_output_in_any_encoding_and_time_zone(command: str, encoding: str) -> None:
    """A message with characters that the encoding lacks; the time zone does not exist."""
    arguments = {
        "bot": ["--config", "不存在.toml"],
        "db": ["backup", "不存在.db", "--config", "不存在.toml"],
        "export": ["list", "--models", "不存在"],
    }
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "TZ": ":Mars/Phobos"}
    done = subprocess.run(
        [sys.executable, "-m", command, *arguments[command]],
        env=environment | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    output = (done.stdout + done.stderr).decode(encoding.partition(":")[0])
    assert "Traceback" not in output
    assert "\\u4e0d\\u5b58\\u5728" in output
