"""What the log looks like: lines for people, or JSON for machines; and what never gets into it.

An event is a word with facts: `order work=create ms=41 outcome=done`. Ids are facts; tokens and
what members wrote are not.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from bot.settings import LogSettings

FACTS = "facts"  # the attribute of a record that has them

# Below these levels they write out whole messages, statements, and addresses with tokens in them.
CHATTY = {
    "discord": logging.INFO,
    "aiohttp": logging.INFO,
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "sqlalchemy": logging.WARNING,
}


def write_down(logger: logging.Logger, event: str, **facts: object) -> None:
    """An event of everyday life, at INFO; facts that are None are left out."""
    known = {name: value for name, value in facts.items() if value is not None}
    logger.info(event, extra={FACTS: known})


def configure(settings: LogSettings, level: str | None = None) -> None:
    """The log of the whole process, on standard error. `level` instead of the settings' one."""
    logging.basicConfig(level=level or settings.level, force=True)
    formatter = JsonFormatter() if settings.format == "json" else TextFormatter()
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter)
    for name, least in CHATTY.items():
        logging.getLogger(name).setLevel(max(least, logging.getLogger().level))


class TextFormatter(logging.Formatter):
    """`2026-01-31 12:00:00,000 INFO bot.discord.orders: order work=create ms=41`"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        facts: dict[str, Any] = getattr(record, FACTS, {})
        return super().formatMessage(record) + "".join(
            f" {name}={_quoted(value)}" for name, value in facts.items()
        )


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, the facts, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FACTS, {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if set(text) & set(' "=\n') or not text else text
