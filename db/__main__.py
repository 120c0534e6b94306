"""`python -m db`: backs up and restores the database of `db.url`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import config
from db.backup import BackupError, Contents, backup, restore
from db.errors import StoreError
from db.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0, or 1 if nothing was done; the reason is on standard error."""
    given = _parser().parse_args(arguments)
    try:
        url = given.url or config.read(Settings, given.config).db.url
        if given.command == "backup":
            print(f"{given.file} is complete: {_text(backup(url, given.file))}.")
        else:
            contents, kept = restore(url, given.file)
            previous = f" The previous database is {kept}." if kept else ""
            print(f"{given.file} is restored: {_text(contents)}.{previous}")
    except (config.SettingsError, StoreError, BackupError) as error:
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
    return parser


def _text(contents: Contents) -> str:
    return (
        f"{contents.pictures} pictures, {contents.rows} rows, {contents.bytes / 2**20:.1f} MiB, "
        "verified"
    )


if __name__ == "__main__":
    sys.exit(main())
