"""Errors of the database that callers handle."""


class StoreUnavailable(Exception):  # noqa: N818 (a state, not a defect of the program)
    """The database is locked, full or away; the message says which."""
