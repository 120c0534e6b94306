"""The sections of `config.toml` that the bot reads."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, IPvAnyNetwork

import config
from bot.passwords import PasswordHash
from config import ModelsSettings, Section


def _hash(text: str) -> str:
    try:
        return str(PasswordHash.parse(text)) if text else ""
    except ValueError as error:
        raise ValueError(f"{error}; make one with: python -m bot password") from None


class DiscordSettings(Section):
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = ""  # empty: the one that the API names
    guild: int | None = None  # commands are synced to this server alone; None: everywhere
    admins: tuple[int, ...] = ()  # users who may do what the application's owner may


class WebSettings(Section):
    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    paint: Literal["open", "local", "off"] = "open"  # who may paint on the web page
    paint_per_minute: int = Field(default=120, ge=0)  # pictures of one address; 0: no limit
    # who is believed to name the visitor's address in X-Forwarded-For
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    public_url: str = ""  # how others reach the page; empty: links are paths
    # of who may use /admin, from `python -m bot password`; empty: there is no /admin
    admin_password_hash: Annotated[str, AfterValidator(_hash)] = ""
    runs: Path = Path("runs")  # the trainings that /admin shows


class DbSettings(Section):
    url: str = "sqlite+aiosqlite:///data/irodori.db"


class EngineSettings(Section):
    provider: Literal["auto", "cuda", "cpu"] = "auto"
    threads: int = Field(default=0, ge=0)  # 0: all cores that this process may use
    max_batch: int = Field(default=64, ge=1)  # pictures painted at once
    max_wait_ms: float = Field(default=3, ge=0, le=1000)  # for others to join, and only while busy
    queue: int = Field(default=2048, ge=1)  # pictures waiting at most; past it the answer is "busy"
    candidates: int = Field(default=0, ge=0, le=64)  # painted per picture; 0: as the model says
    poll_seconds: float = Field(default=5, gt=0)  # how often models/current is looked at


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["text", "json"] = "text"


class Settings(config.Settings):
    discord: DiscordSettings = DiscordSettings()
    web: WebSettings = WebSettings()
    db: DbSettings = DbSettings()
    models: ModelsSettings = ModelsSettings()
    engine: EngineSettings = EngineSettings()
    log: LogSettings = LogSettings()


def discord_token() -> str | None:
    """The bot's token, from the environment alone: a secret has no place in a settings file."""
    return os.environ.get("DISCORD_TOKEN", "").strip() or None
