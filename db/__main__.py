"""`python -m db`: backs up and restores the database of `db.url`, and copies databases."""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import config
from config.output import allow_any_encoding
from db.backup import BackupError, Contents, backup, restore
from db.copying import CopyError, copy
from db.errors import StoreError
from db.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, or 1 if nothing was done; the reason is on standard error."""
    allow_any_encoding()
    given = _parser().parse_args(arguments)
    try:
        if given.command == "copy":
            _copy(given.source, given.target)
            return 0
        url = given.url or config.read(Settings, given.config).db.url
        if given.command == "backup":
            print(f"{given.file} is complete: {_text(backup(url, given.file))}.")
        else:
            contents, kept = restore(url, given.file)
            previous = f" The previous database is {kept}." if kept else ""
            print(f"{given.file} is restored: {_text(contents)}.{previous}")
    except (config.SettingsError, StoreError, BackupError, CopyError) as error:
        print(f"python -m db {given.command}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m db", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    about_backup = "copy the SQLite database to a new file, even while the bot runs, and verify it"
    about_restore = "verify a backup and replace the database by it; the bot must be stopped"
    for name, about in (("backup", about_backup), ("restore", about_restore)):
        command = commands.add_parser(name, help=about, description=about, allow_abbrev=False)
        command.add_argument("file", type=Path, metavar="FILE")
        command.add_argument("--config", type=Path, metavar="PATH", help="instead of config.toml")
        command.add_argument("--db.url", dest="url", metavar="URL", help="instead of the setting")
    about = (
        "copy everything to another database, which is empty or has a part of the same copy, and "
        "compare all rows; for example from sqlite+aiosqlite:///data/irodori.db to "
        "postgresql+asyncpg://user:password@host/irodori"
    )
    command = commands.add_parser("copy", help=about, description=about, allow_abbrev=False)
    command.add_argument("source", metavar="FROM", help="URL of a database")
    command.add_argument("target", metavar="TO", help="URL of a database")
    return parser


def _copy(source: str, target: str) -> None:
    copied: Counter[str] = Counter()

    def report(table: str, rows: int) -> None:
        if table not in copied:
            print(f"copying {table} …", file=sys.stderr, flush=True)
        copied[table] += rows

    counts = asyncio.run(copy(source, target, report))
    print(
        f"TO has the same {sum(counts.values())} rows as FROM, {counts['pictures']} of them "
        f"pictures; {copied.total()} were copied now."
    )


def _text(contents: Contents) -> str:
    return (
        f"{contents.pictures} pictures, {contents.rows} rows, {contents.bytes / 2**20:.1f} MiB, "
        "verified"
    )


if __name__ == "__main__":
    sys.exit(main())
