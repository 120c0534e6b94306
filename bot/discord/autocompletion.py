"""Limits on autocompletion, which Discord requests with every key that a member types."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeAlias

from discord.app_commands import Choice

MAX_OPEN = 5  # autocompletions of one member at once; further ones get no suggestions
MAX_TEXT = 100  # characters that are compared

Complete: TypeAlias = Callable[..., Coroutine[Any, Any, list[Choice[str]]]]


def limited(complete: Complete) -> Complete:
    """Shortens the text that was typed, and limits how many autocompletions a member has open."""

    @wraps(complete)
    async def limited_complete(*arguments: Any) -> list[Choice[str]]:
        *bound, interaction, text = arguments  # a method is bound to its cog
        open_requests = interaction.client.autocompletions
        member = interaction.user.id
        if open_requests[member] >= MAX_OPEN:
            return []
        open_requests[member] += 1
        try:
            return await complete(*bound, interaction, text[:MAX_TEXT])
        finally:
            open_requests[member] -= 1
            if not open_requests[member]:
                del open_requests[member]

    return limited_complete
