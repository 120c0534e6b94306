"""Parsing of command lines, with suggestions for unknown flags."""

import argparse
from collections.abc import Sequence

from config import nearest


def parse(parser: argparse.ArgumentParser, given: Sequence[str]) -> argparse.Namespace:
    """Like `parser.parse_args`; the error for an unknown flag suggests the nearest known one."""
    arguments, unknown = parser.parse_known_args(given)
    for word in unknown:
        flag = word.split("=")[0]
        if flag.startswith("--"):
            flags = [option for option in parser.format_help().split() if option.startswith("--")]
            parser.error(f"there is no {flag}{nearest(flag, flags)}")
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return arguments


def parse_seed(text: str) -> int:
    """A seed on the command line, an unsigned 32-bit number. Raises ArgumentTypeError."""
    return _number(text, 0, 2**32 - 1)


def parse_count(text: str) -> int:
    """A positive number on the command line. Raises ArgumentTypeError."""
    return _number(text, 1, 2**31 - 1)


def _number(text: str, least: int, most: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
    return number
