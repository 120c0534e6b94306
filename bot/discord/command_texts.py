"""The English texts of commands and their options, from the Fluent messages.

The texts of `/model use` are attributes of the message `command-model-use`: `.name`,
`.description`, and for each option `.OPTION` and `.OPTION-description`. `translator` reads the
other languages.
"""

from collections.abc import Callable
from typing import TypeVar

from discord import app_commands

from bot.i18n.messages import command_text

F = TypeVar("F")


def description(command: str) -> str:
    """The description of a command such as "model use". Raises KeyError if it has no message."""
    return _text(command, "description")


def option_description(command: str, option: str) -> str:
    """The description of an option. Raises KeyError if it has no message."""
    return _text(command, f"{option}-description")


def describe_options(command: str, *options: str) -> Callable[[F], F]:
    """Decorates a command's callback with the descriptions of its options."""
    return app_commands.describe(
        **{option: option_description(command, option) for option in options}
    )


def _text(command: str, attribute: str) -> str:
    key = f"command-{command.replace(' ', '-')}"
    text = command_text(key, attribute, "en")
    if text is None:
        raise KeyError(f"the English message {key} has no attribute .{attribute}")
    return text
