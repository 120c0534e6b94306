"""Standard output and error of commands."""

import io
import sys


def allow_any_encoding() -> None:
    """Writes characters that the terminal's encoding lacks as `\\xd7`, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
