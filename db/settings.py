"""The section `[db]` of `config.toml`."""

from pathlib import Path

from pydantic import Field

import config
from config import Section


class DbSettings(Section):
    """Database."""

    url: str = "sqlite+aiosqlite:///data/irodori.db"
    """SQLAlchemy URL; for PostgreSQL postgresql+asyncpg://user:password@host/irodori."""
    backup_hours: float = Field(default=0, ge=0)
    """Hours between automatic backups of a SQLite database. 0: no automatic backups."""
    backup_keep: int = Field(default=7, ge=1)
    """Number of automatic backups to keep; older ones are deleted."""
    backup_dir: Path = Path("backups")
    """Folder of the automatic backups."""


class Settings(config.Settings):
    db: DbSettings = DbSettings()
