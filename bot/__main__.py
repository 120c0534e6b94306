"""`python -m bot`: serves the web page and, given a token, Discord.

`python -m bot --check` tests the configuration, `python -m bot doctor` looks for damaged data,
`python -m bot sync` registers the commands with Discord, `python -m bot deploy` starts the replicas
on a Ray cluster, `python -m bot web-runtime` installs what browsers need to paint, and
`python -m bot password` hashes a password for /admin.
"""

import argparse
import asyncio
import getpass
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import discord

import config
from bot import doctor, logs
from bot.check import Finding, findings
from bot.discord.client import sync_commands
from bot.errors import ModelUnavailable
from bot.passwords import MIN_LENGTH, PasswordHash
from bot.serve import REFUSED, EngineStopped, StartError, engine_settings, open_studio, serve
from bot.settings import Settings, discord_token
from bot.web import browser_runtime
from config.output import allow_any_encoding
from db.errors import StoreError


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 after SIGTERM or Ctrl-C, 1 if a check found a problem or the
    engine stopped by an error, 2 if the bot cannot start.
    """
    allow_any_encoding()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        match given:
            case ["sync", *rest]:
                return _sync(rest)
            case ["doctor", *rest]:
                return _doctor(rest)
            case ["deploy", *rest]:
                return _deploy(rest)
            case ["password", *rest]:
                return _password(rest)
            case ["web-runtime", *rest]:
                return _web_runtime(rest)
        if "--check" in given:
            given.remove("--check")
            return _check(given)
        settings = read_settings(given)
        # A successful start prints one line, whatever the level; see `serve`.
        quiet = "WARNING" if settings.log.level == "INFO" else settings.log.level
        logs.configure(settings.log, quiet)
        asyncio.run(serve(settings, discord_token()))
    except (config.SettingsError, StoreError, ModelUnavailable, StartError) as error:
        print(f"Irodori cannot start: {error}", file=sys.stderr)
        return 2
    except EngineStopped as error:
        print(f"Irodori ends: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # Windows, where the loop has no signal handlers
        pass
    return 0


def read_settings(arguments: Sequence[str]) -> Settings:
    """Settings from the file, the environment and the command line. Raises SettingsError."""
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="Serves the web page and, with DISCORD_TOKEN set, Discord.",
        epilog="Every setting is an option as well: --web.port 9000. Sections: "
        + ", ".join(Settings.model_fields)
        + ". `python -m bot sync [--guild ID]` registers the commands with Discord, everywhere or "
        "in one server, even if they have not changed; `python -m bot doctor [--fix]` checks the "
        "database, pictures and models for damage; `python -m bot deploy` starts the replicas on a "
        "Ray cluster; `python -m bot web-runtime` installs what browsers need to paint by "
        "themselves, with npm; `python -m bot password` prints the line of config.toml that "
        "enables /admin.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--config", type=Path, metavar="PATH", help="read PATH instead of config.toml"
    )
    parser.add_argument("--check", action="store_true", help="test the configuration and exit")
    known, rest = parser.parse_known_args(arguments)
    return config.read(Settings, known.config, _overrides(rest))


def _check(arguments: Sequence[str]) -> int:
    logging.disable()  # each finding is printed
    try:
        settings = read_settings(arguments)
    except config.SettingsError as error:
        print(Finding("configuration", False, str(error)))
        return 1
    return asyncio.run(_print(findings(settings, discord_token())))


def _doctor(arguments: Sequence[str]) -> int:
    rest = list(arguments)
    fix = "--fix" in rest
    if fix:
        rest.remove("--fix")
    settings = read_settings(rest)
    return asyncio.run(_print(doctor.findings(settings, fix)))


async def _print(found: AsyncIterator[Finding]) -> int:
    """Returns the exit status."""
    ok = True
    async for finding in found:
        print(finding, flush=True)
        ok = ok and finding.ok
    return 0 if ok else 1


def _sync(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bot sync", add_help=False, allow_abbrev=False)
    parser.add_argument("--guild", type=int)
    known, rest = parser.parse_known_args(arguments)
    settings = read_settings(rest)
    token = discord_token()
    if token is None:
        raise StartError("DISCORD_TOKEN is not set")
    logs.configure(settings.log, "WARNING")

    async def sync() -> list[str]:
        async with open_studio(settings) as (studio, _):
            return await sync_commands(studio, settings.discord, token, known.guild)

    try:
        names = asyncio.run(sync())
    except discord.LoginFailure:
        raise StartError(REFUSED) from None
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        raise StartError(f"Discord did not accept the commands: {error}") from error
    scope = "everywhere" if known.guild is None else f"in server {known.guild}"
    print(f"Discord has the commands {scope}: {', '.join(names)}.")
    return 0


def _deploy(arguments: Sequence[str]) -> int:
    settings = read_settings(arguments)
    try:
        from bot.inference.ray_backend import deploy  # needs the extra "cluster"
    except ModuleNotFoundError as error:
        raise ModelUnavailable("model-no-ray", module=str(error.name)) from error
    deploy(settings.models.dir, engine_settings(settings))
    print("The Ray cluster paints. Start the bots with --engine.backend ray.")
    return 0


def _password(arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="python -m bot password", allow_abbrev=False).parse_args(arguments)
    problem, password = "", ""
    try:
        password = getpass.getpass("Password for /admin: ")
        if len(password) < MIN_LENGTH:
            problem = f"A password has at least {MIN_LENGTH} characters."
        elif getpass.getpass("Repeat the password: ") != password:
            problem = "The two passwords are different."
    except EOFError:
        problem = "No password was typed."
    if problem:
        print(problem, file=sys.stderr)
        return 2
    print("Add this line to config.toml, below [web]:", file=sys.stderr)
    print(f'admin_password_hash = "{PasswordHash.of(password)}"')
    return 0


def _web_runtime(arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="python -m bot web-runtime", allow_abbrev=False).parse_args(
        arguments
    )
    try:
        version = browser_runtime.install()
    except browser_runtime.InstallError as error:
        print(f"The runtime for browsers is not installed: {error}", file=sys.stderr)
        return 1
    print(f"{browser_runtime.PACKAGE} {version} is installed in {browser_runtime.FOLDER}.")
    return 0


def _overrides(words: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`--web.port 9000` and `--web.port=9000` to {"web": {"port": "9000"}}."""
    overrides: dict[str, dict[str, Any]] = {}
    left = list(words)
    while left:
        option, equals, value = left.pop(0).partition("=")
        section, dot, key = option.removeprefix("--").partition(".")
        if not (option.startswith("--") and dot and section in Settings.model_fields):
            raise config.SettingsError(
                f"{option} is not an option; options are --config PATH and settings such as "
                f"--web.port 9000 (sections: {', '.join(Settings.model_fields)})"
            )
        if not equals:
            if not left:
                raise config.SettingsError(f"{option} has no value")
            value = left.pop(0)
        overrides.setdefault(section, {})[key] = value
    return overrides


if __name__ == "__main__":
    sys.exit(main())
