"""The sections of `config.toml` that the bot reads."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, IPvAnyNetwork, model_validator

import config
from bot.passwords import PasswordHash
from config import ModelsSettings, Section
from db.settings import DbSettings
from export.manifest import MAX_CANDIDATES


def _check_hash(text: str) -> str:
    try:
        return str(PasswordHash.parse(text)) if text else ""
    except ValueError as error:
        raise ValueError(f"{error}; make one with: python -m bot password") from None


def _check_public_url(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("it must begin with https:// or http://, as in https://faces.example.org")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"the page needs a host name of its own, and does not work below {parts.path or '?'}; "
            f"use {parts.scheme}://{parts.netloc} or a subdomain"
        )
    return url


def _check_proxy(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("it must be the URL of an HTTP proxy, as in http://proxy.example.org:3128")
    return url


class DiscordSettings(Section):
    """Connection to Discord."""

    api_url: str = "https://discord.com/api/v10"
    """Base URL of the API; change it for a proxy or for tests."""
    gateway_url: str = ""
    """URL of the gateway. Empty: the URL that the API returns."""
    proxy: Annotated[str, AfterValidator(_check_proxy)] = ""
    """HTTP proxy for connections to Discord, such as http://user:password@proxy:3128. Empty: that
    of the environment variable HTTPS_PROXY, unless NO_PROXY names Discord's host.
    """
    guild: int | None = Field(default=None, examples=[123])
    """Register the commands in this server only, instead of everywhere."""
    admins: tuple[int, ...] = ()
    """Ids of users who may use /model and /stats, besides the application's owner."""
    open_requests: int = Field(default=8, ge=0)
    """Requests of one member that may wait for pictures at once. 0: no limit."""
    members_intent: bool = False
    """Request the privileged Server Members Intent, which servers need to welcome newcomers. First
    turn it on in the Developer Portal, at Bot.
    """
    shards: int | None = Field(default=None, ge=1, examples=[2])
    """Number of shards of the bot, in all its processes. Unset: as many as Discord recommends."""
    shard_ids: tuple[int, ...] = ()
    """Shards that this process connects, such as [0]; each of the others belongs to another process
    on the same database. Empty: all.
    """

    @model_validator(mode="after")
    def _check_shards(self) -> Self:
        if self.shard_ids and self.shards is None:
            raise ValueError("discord.shard_ids needs discord.shards, the number of all shards")
        wrong = [id for id in self.shard_ids if not 0 <= id < (self.shards or 1)]
        if wrong or len(set(self.shard_ids)) < len(self.shard_ids):
            raise ValueError(
                f"discord.shard_ids must be different numbers from 0 to {(self.shards or 1) - 1}"
            )
        return self


class WebSettings(Section):
    """Web page, HTTP API and admin pages."""

    enabled: bool = True
    """Serve the web page."""
    host: str = "127.0.0.1"
    """Address to listen on. 0.0.0.0 accepts other machines; use a proxy with HTTPS then."""
    port: int = Field(default=8080, ge=0, le=65535)
    """Port to listen on."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535, examples=[9090])
    """Port of /metrics, also without the web page. Unset: /metrics is a part of the web page."""
    paint: Literal["open", "local", "off"] = "open"
    """Who may paint on the web page: everybody, this machine only, or nobody."""
    paint_per_minute: int = Field(default=120, ge=0)
    """Pictures that one address may paint per minute. 0: no limit."""
    named_faces_per_minute: int = Field(default=600, ge=0)
    """New faces by name (/avatar/<name>.png) that one address may have painted per minute. 0: no
    limit.
    """
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    """Networks of proxies whose X-Forwarded-For header is trusted, such as ["127.0.0.1"]."""
    public_url: Annotated[str, AfterValidator(_check_public_url)] = ""
    """Public URL of the page, such as https://faces.example.org, without a path. Empty: links are
    relative.
    """
    admin_password_hash: Annotated[str, AfterValidator(_check_hash)] = ""
    """Hash of the password for /admin, from `python -m bot password`. Empty: /admin is disabled."""
    runs: Path = Path("runs")
    """Folder of the training runs that /admin shows."""


class PrivacySettings(Section):
    """What /privacy and /terms say, and how long data is kept."""

    operator: str = ""
    """Name of the person or organization that runs the bot."""
    contact: str = ""
    """Where to send questions about data, such as an e-mail address or a URL."""
    reports_channel: int | None = Field(default=None, examples=[123])
    """Id of the Discord channel where operators get reports of pictures, besides /admin."""
    guild_days: int = Field(default=30, ge=0)
    """Days after the bot was removed from a server until the server's data is deleted. 0: never."""
    picture_days: int = Field(default=0, ge=0)
    """Age in days at which pictures that are nobody's favorite are deleted. 0: never."""


class EngineSettings(Section):
    """Inference."""

    backend: Literal["process", "ray"] = "process"
    """Where pictures are painted: in this process, or on a Ray cluster (extra "cluster")."""
    provider: Literal["auto", "cuda", "cpu"] = "auto"
    """Device that models run on; auto uses CUDA if it is available."""
    threads: int = Field(default=0, ge=0)
    """CPU threads. 0: all cores that the process may use."""
    max_batch: int = Field(default=64, ge=1)
    """Largest number of pictures per batch."""
    max_wait_ms: float = Field(default=3, ge=0, le=1000)
    """Milliseconds that a request waits for others to share its batch, under load."""
    queue: int = Field(default=2048, ge=1)
    """Largest number of pictures in the queue; further requests are refused."""
    candidates: int = Field(default=0, ge=0, le=MAX_CANDIDATES)
    """Candidates per picture, of which the scorer keeps one. 0: the model's own number."""
    upscaler: Literal["auto", "float"] = "auto"
    """Upscaler. auto: the model's int8 one if it is faster on this machine, but the float one if
    browsers can paint (`python -m bot web-runtime`). Only the float one paints the same pictures on
    all machines, and as browsers do.
    """
    load_seconds: float = Field(default=120, gt=0)
    """Seconds that a model may take to load and to paint its first batch."""
    poll_seconds: float = Field(default=5, gt=0)
    """Seconds between two checks of models/current."""
    ray_address: str = "auto"
    """Address of the Ray cluster. auto: the cluster of this machine's Ray node."""
    ray_batches: int = Field(default=4, ge=1, le=64)
    """Batches of this process that the Ray cluster paints at once."""
    ray_min_replicas: int = Field(default=1, ge=1)
    """Fewest replicas on the Ray cluster; each one loads the models."""
    ray_max_replicas: int = Field(default=4, ge=1)
    """Most replicas on the Ray cluster, under load."""
    ray_cpus: float = Field(default=1, gt=0)
    """CPU cores of a replica."""
    ray_gpus: float = Field(default=0, ge=0)
    """GPUs of a replica; 0.5 for two replicas on one GPU. 0: replicas paint on the CPU."""

    @model_validator(mode="after")
    def _check_replicas(self) -> Self:
        if self.ray_max_replicas < self.ray_min_replicas:
            raise ValueError("engine.ray_max_replicas must be at least engine.ray_min_replicas")
        return self


class LogSettings(Section):
    """Log."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe level that is logged."""
    format: Literal["text", "json"] = "text"
    """Lines of text, or one JSON object per line."""


class Settings(config.Settings):
    discord: DiscordSettings = DiscordSettings()
    web: WebSettings = WebSettings()
    privacy: PrivacySettings = PrivacySettings()
    db: DbSettings = DbSettings()
    models: ModelsSettings = ModelsSettings()
    engine: EngineSettings = EngineSettings()
    log: LogSettings = LogSettings()


def discord_token() -> str | None:
    """The bot's token, from the environment only: a secret does not belong in a settings file."""
    return os.environ.get("DISCORD_TOKEN", "").strip() or None
