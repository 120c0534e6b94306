"""Members of the simulated Discord who send requests, and what becomes of the requests."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from discord_server import BotError, DiscordServer
from discord_server.model import Interaction, Message

DEFERRED = 5  # the answer "thinking…"
REPLY_SECONDS = 300.0  # for all replies, after the last fault
ANNOUNCEMENTS = ("restarted", "Painting", "painted before")  # texts that are replaced later


def is_pending(interaction: Interaction) -> bool:
    """Acknowledged and not answered yet."""
    message = interaction.original
    if interaction.answer != DEFERRED or message is None:
        return False
    announced = any(text in message.content for text in ANNOUNCEMENTS)
    if message.deleted:  # a private text replaced it
        return False
    return message.loading or (announced and not message.files)


async def wait_for_replies(
    discord: DiscordServer, interactions: Iterable[Interaction], seconds: float = REPLY_SECONDS
) -> None:
    """Waits until every acknowledged interaction is answered, or it takes too long."""
    waiting = list(interactions)
    with contextlib.suppress(BotError):
        await discord.wait_until(
            lambda: not any(map(is_pending, waiting)), "replies are missing", seconds
        )


def count_outcomes(interactions: Iterable[Interaction]) -> Counter[str]:
    """The number of interactions with each outcome.

    painted: answered with pictures. refused: answered with a text. unanswered: acknowledged only.
    unacknowledged: the member was told that the command failed. doubled (counted in addition):
    answered more than once.
    """
    counts: Counter[str] = Counter()
    for interaction in interactions:
        shown = _messages(interaction)
        if interaction.answer is None:
            counts["unacknowledged"] += 1
        elif is_pending(interaction):
            counts["unanswered"] += 1
        else:
            counts["painted" if any(message.files for message in shown) else "refused"] += 1
        counts["doubled"] += len(shown) > 1
    return counts


def describe(interaction: Interaction) -> str:
    """What the member of an unanswered or doubled interaction sees; empty for others."""
    shown = _messages(interaction)
    if not is_pending(interaction) and len(shown) < 2:
        return ""
    texts = [f"{message.content!r} with {len(message.files)} pictures" for message in shown]
    return f"{interaction.label}: {', '.join(texts)}"


def count_painted_twice(database: Path) -> int:
    """Requests for one picture that have more in the database."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        per_order = "SELECT count(*) AS n FROM avatars GROUP BY order_id"
        query = f"SELECT count(*) FROM ({per_order}) WHERE n > 1"
        return int(connection.execute(query).fetchone()[0])


def _messages(interaction: Interaction) -> list[Message]:
    messages = interaction.channel.messages
    return [m for m in messages if m.interaction is interaction and not m.deleted]
