"""Translates names and descriptions of commands, from the Fluent messages.

`/model use` is the message `command-model-use`, with the attributes `.name`, `.description`, and
for an option `.OPTION` and `.OPTION-description`; a menu called "Some name" is `menu-some-name`.
Names that depend on the model have their own translations: `locale_str(english, text=...)`.
"""

import re
from collections.abc import Callable
from typing import Any

from discord import Locale
from discord.app_commands import (
    Command,
    ContextMenu,
    Group,
    TranslationContextLocation,
    TranslationContextTypes,
    Translator,
    locale_str,
)

from bot.i18n.messages import command_text, language_for


class FluentTranslator(Translator):
    async def translate(
        self, string: locale_str, locale: Locale, context: TranslationContextTypes
    ) -> str | None:
        language = language_for(locale.value)
        if language == "en":
            return None  # the commands are defined in English
        text: Callable[[str], str | None] | None = string.extras.get("text")
        if text is not None:
            return text(language)
        location, data = context.location, context.data
        if location is TranslationContextLocation.choice_name:
            return None
        if location in _OF_OPTION:
            name = getattr(data, "name", "")
            key, attribute = _key(getattr(data, "command", None)), f"{name}{_OF_OPTION[location]}"
        else:
            key, attribute = _key(data), _OF_COMMAND.get(location, "name")
        return command_text(key, attribute, language)


_OF_COMMAND = {
    TranslationContextLocation.command_description: "description",
    TranslationContextLocation.group_description: "description",
}
_OF_OPTION = {
    TranslationContextLocation.parameter_name: "",
    TranslationContextLocation.parameter_description: "-description",
}


def _key(command: Any) -> str:
    assert isinstance(command, Command | Group | ContextMenu)
    kind = "menu" if isinstance(command, ContextMenu) else "command"
    return "-".join([kind, *re.findall(r"\w+", command.qualified_name.lower())])
