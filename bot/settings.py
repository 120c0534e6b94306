"""The sections of `config.toml` that the bot reads."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, IPvAnyNetwork

import config
from bot.passwords import PasswordHash
from config import ModelsSettings, Section


def _check_hash(text: str) -> str:
    try:
        return str(PasswordHash.parse(text)) if text else ""
    except ValueError as error:
        raise ValueError(f"{error}; make one with: python -m bot password") from None


class DiscordSettings(Section):
    """Connection to Discord."""

    api_url: str = "https://discord.com/api/v10"
    """Base URL of the API; another one for a proxy or for tests."""
    gateway_url: str = ""
    """URL of the gateway. Empty: the one that the API names."""
    guild: int | None = Field(default=None, examples=[123])
    """Register the commands in this server only, where they appear at once, instead of everywhere.
    """
    admins: tuple[int, ...] = ()
    """Ids of users who may use /model and /stats, besides the application's owner."""


class WebSettings(Section):
    """Web page, HTTP API and admin pages."""

    enabled: bool = True
    """Serve the web page."""
    host: str = "127.0.0.1"
    """Address to listen on. 0.0.0.0 accepts other machines; put a proxy with HTTPS in front."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen on."""
    paint: Literal["open", "local", "off"] = "open"
    """Who may paint on the web page: everybody, this machine only, or nobody."""
    paint_per_minute: int = Field(default=120, ge=0)
    """Pictures that one address may paint per minute. 0: no limit."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Networks of proxies whose X-Forwarded-For header is believed, such as ["127.0.0.1"]."""
    public_url: str = ""
    """Public URL of the page, such as https://faces.example.org, for links. Empty: links are paths.
    """
    admin_password_hash: Annotated[str, AfterValidator(_check_hash)] = ""
    """Hash of the password for /admin, from `python -m bot password`. Empty: there is no /admin."""
    runs: Path = Path("runs")
    """Folder of the training runs that /admin shows."""


class DbSettings(Section):
    """Database."""

    url: str = "sqlite+aiosqlite:///data/irodori.db"
    """SQLAlchemy URL; for PostgreSQL postgresql+asyncpg://user:password@host/irodori."""


class EngineSettings(Section):
    """Inference."""

    provider: Literal["auto", "cuda", "cpu"] = "auto"
    """Where models run; auto uses CUDA if it is available."""
    threads: int = Field(default=0, ge=0)
    """CPU threads. 0: all cores that the process may use."""
    max_batch: int = Field(default=64, ge=1)
    """Largest number of pictures per batch."""
    max_wait_ms: float = Field(default=3, ge=0, le=1000)
    """Milliseconds that a request waits for others to share its batch, while the engine is busy."""
    queue: int = Field(default=2048, ge=1)
    """Largest number of pictures that wait; further requests are refused."""
    candidates: int = Field(default=0, ge=0, le=64)
    """Candidates per picture, of which the critic keeps one. 0: as the model says."""
    poll_seconds: float = Field(default=5, gt=0)
    """Seconds between two looks at models/current."""


class LogSettings(Section):
    """Log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that is logged."""
    format: Literal["text", "json"] = "text"
    """Lines of text, or one JSON object per line."""


class Settings(config.Settings):
    discord: DiscordSettings = DiscordSettings()
    web: WebSettings = WebSettings()
    db: DbSettings = DbSettings()
    models: ModelsSettings = ModelsSettings()
    engine: EngineSettings = EngineSettings()
    log: LogSettings = LogSettings()


def discord_token() -> str | None:
    """The bot's token, from the environment only: a secret does not belong in a settings file."""
    return os.environ.get("DISCORD_TOKEN", "").strip() or None
