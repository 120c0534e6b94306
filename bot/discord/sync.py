"""Registers the commands with Discord if their definitions have changed."""

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
    """Registers the commands in one guild, or in all for None. True if they were sent.

    The database stores the hash of the last definition, which includes the names in all languages.
    The client must have logged in. Raises discord.HTTPException.
    """
    scope = None if guild is None else discord.Object(guild)
    if scope is not None:
        tree.copy_global_to(guild=scope)
    note = f"commands:{tree.client.application_id}:{guild or 'everywhere'}"
    defined = await _definition(tree, scope)
    if not always and await studio.notes.get(note) == defined:
        return False
    synced = await tree.sync(guild=scope)
    await studio.notes.set(note, defined)
    logger.info("commands synced: %s", ", ".join(command.name for command in synced))
    return True


async def _definition(tree: Tree, scope: discord.Object | None) -> str:
    """SHA-256 of the payload that `tree.sync` sends."""
    commands = tree.get_commands(guild=scope)
    if tree.translator is None:
        payload = [command.to_dict(tree) for command in commands]
    else:
        payload = [
            await command.get_translated_payload(tree, tree.translator) for command in commands
        ]
    payload.sort(key=lambda command: (command.get("type", 1), command["name"]))
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
