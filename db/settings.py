"""The section `[db]` of `config.toml`."""

from pathlib import Path

from pydantic import Field

import config
from config import Section
from db.engine import CONNECTIONS


class DbSettings(Section):
    """Database."""

    url: str = "sqlite+aiosqlite:///data/irodori.db"
    """SQLAlchemy URL; for PostgreSQL postgresql+asyncpg://user:password@host/irodori."""
    connections: int = Field(default=CONNECTIONS, ge=2)
    """Largest number of connections to the database. For several processes on one PostgreSQL, their
    sum must be less than its `max_connections`.
    """
    backup_hours: float = Field(default=0, ge=0)
    """Hours between automatic backups of a SQLite database. 0: no automatic backups."""
    backup_keep: int = Field(default=7, ge=1)
    """Number of automatic backups to keep; older ones are deleted."""
    backup_dir: Path = Path("backups")
    """Folder of the automatic backups."""


class Settings(config.Settings):
    db: DbSettings = DbSettings()
