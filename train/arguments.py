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
