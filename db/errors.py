"""Errors of the database."""

import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_SQLITE = {  # primary result codes; others are defects of the program
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}
# PostgreSQL's classes of SQLSTATE: connection, server is out of resources, intervention by an
# operator (restart), error of its system; and single states: read-only, lock timeout
_POSTGRESQL = ("08", "53", "57", "58", "25006", "55P03")


class StoreError(Exception):
    """The database cannot be opened; the message contains its URL and the reason."""


class StoreUnavailable(Exception):  # noqa: N818 (a state, not a defect of the program)
    """The database does not work now: it is locked, full, read-only, damaged or restarting.

    Nothing was written, unless the connection was lost during the commit. `busy` is True if
    another process holds the lock. The message is the driver's, for the log.
    """

    def __init__(self, reason: str, busy: bool = False) -> None:
        super().__init__(reason)
        self.busy = busy


def is_full(error: Exception) -> bool:
    """Whether PostgreSQL has no connection left."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlstate", None) == "53300"


def unavailable(error: Exception) -> StoreUnavailable | None:
    """The error as StoreUnavailable, or None if it has another cause."""
    if isinstance(error, PoolTimeoutError):
        return StoreUnavailable("no connection is free", busy=True)
    cause = error.orig if isinstance(error, DBAPIError) else error
    reason = f"{cause}".strip() or type(cause).__name__
    if isinstance(cause, sqlite3.Error):
        # errors of the driver itself have no code
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        busy = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
        return StoreUnavailable(reason, busy) if code in _SQLITE else None
    state = getattr(cause, "sqlstate", None) or ""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost or isinstance(cause, OSError) or state.startswith(_POSTGRESQL):
        return StoreUnavailable(reason, busy=state == "55P03")
    return None
