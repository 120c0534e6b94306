"""Formats the log as lines of text or as JSON.

An event is a word with fields: `order work=create ms=41 outcome=done`. Ids may be fields; tokens
and prompts may not.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from bot.settings import LogSettings

FIELDS = "fields"  # attribute of a record that holds the fields

# Least levels of libraries that otherwise log whole messages, SQL statements, and URLs with tokens.
LIBRARY_LEVELS = {
    "discord": logging.INFO,
    "aiohttp": logging.INFO,
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "sqlalchemy": logging.WARNING,
}


def log_event(logger: logging.Logger, event: str, **fields: object) -> None:
    """Logs an event at INFO; fields that are None are left out."""
    known = {name: value for name, value in fields.items() if value is not None}
    logger.info(event, extra={FIELDS: known})


def configure(settings: LogSettings, level: str | None = None) -> None:
    """Configures the log of the process, on standard error; `level` overrides the settings."""
    logging.basicConfig(level=level or settings.level, force=True)
    formatter = JsonFormatter() if settings.format == "json" else TextFormatter()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)
    for name, least in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(least, logging.getLogger().level))


class TextFormatter(logging.Formatter):
    """`2026-01-31 12:00:00,000 INFO bot.discord.delivery: order work=create ms=41`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        fields: dict[str, Any] = getattr(record, FIELDS, {})
        return super().formatMessage(record) + "".join(
            f" {name}={_quoted(value)}" for name, value in fields.items()
        )


class JsonFormatter(logging.Formatter):
    """One JSON object per line: time (UTC), level, logger, message, fields, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if set(text) & set(' "=\n') or not text else text
