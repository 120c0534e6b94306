"""The section of `config.toml` that `python -m db` reads."""

import config
from config import Section


class DbSettings(Section):
    """Database."""

    url: str = "sqlite+aiosqlite:///data/irodori.db"
    """SQLAlchemy URL; for PostgreSQL postgresql+asyncpg://user:password@host/irodori."""


class Settings(config.Settings):
    db: DbSettings = DbSettings()
