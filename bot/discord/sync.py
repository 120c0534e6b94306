"""Tells Discord about the commands, and only when their definition has changed."""

import hashlib
import json
import logging
from typing import Any, TypeAlias

import discord
from discord import app_commands

from bot.studio import Studio

Tree: TypeAlias = app_commands.CommandTree[Any]

logger = logging.getLogger(__name__)


async def sync_if_changed(
    tree: Tree, studio: Studio, guild: int | None, *, always: bool = False
) -> bool:
    """Whether Discord was told. `guild` is the server that has the commands; None: all have them.

    The database keeps the hash of what Discord was told last, names in all languages included. The
    client must have logged in. Raises discord.HTTPException.
    """
    place = None if guild is None else discord.Object(guild)
    if place is not None:
        tree.copy_global_to(guild=place)
    note = f"commands:{tree.client.application_id}:{guild or 'everywhere'}"
    defined = await _definition(tree, place)
    if not always and await studio.note(note) == defined:
        return False
    synced = await tree.sync(guild=place)
    await studio.save_note(note, defined)
    logger.info("commands synced: %s", ", ".join(command.name for command in synced))
    return True


async def _definition(tree: Tree, place: discord.Object | None) -> str:
    """SHA-256 of the payload that `tree.sync` sends."""
    commands = tree.get_commands(guild=place)
    if tree.translator is None:
        payload = [command.to_dict(tree) for command in commands]
    else:
        payload = [
            await command.get_translated_payload(tree, tree.translator) for command in commands
        ]
    payload.sort(key=lambda command: (command.get("type", 1), command["name"]))
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
