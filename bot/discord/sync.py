"""Tells Discord about the commands, and only when they differ from those that it has."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import discord
from discord import app_commands

Tree: TypeAlias = app_commands.CommandTree[Any]

logger = logging.getLogger(__name__)

# Discord adds fields of its own; these are ours, with what it leaves out when they are not set.
COMMAND = {"type": 1, "name": "", "description": "", "nsfw": False}
PLACES = {"contexts": None, "integration_types": None}  # where; of global commands alone
OPTION = {
    "type": 0,
    "name": "",
    "description": "",
    "required": False,
    "autocomplete": False,
    "choices": [],
    "min_value": None,
    "max_value": None,
    "min_length": None,
    "max_length": None,
}


async def sync_if_changed(client: discord.Client, tree: Tree, guild: int | None) -> bool:
    """Whether they differed. `guild` is the server that has the commands; None: all have them.

    The client must have logged in. Raises discord.HTTPException.
    """
    assert client.application_id is not None
    # As JSON: discord.py 2.7.1 reads the contexts [0, 1, 2] of an AppCommand as [0, 1].
    if guild is None:
        place, fields = None, {**COMMAND, **PLACES}
        known = await client.http.get_global_commands(client.application_id)
    else:
        place, fields = discord.Object(guild), COMMAND
        known = await client.http.get_guild_commands(client.application_id, guild)
        tree.copy_global_to(guild=place)
    wanted = [command.to_dict(tree) for command in tree.get_commands(guild=place)]
    if _essence(known, fields) == _essence(wanted, fields):
        return False
    synced = await tree.sync(guild=place)
    logger.info("commands synced: %s", ", ".join(f"/{command.name}" for command in synced))
    return True


def _essence(commands: Sequence[Mapping[str, Any]], fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        command["name"]: (
            _only(command, fields),
            [_only(option, OPTION) for option in command.get("options", [])],
        )
        for command in commands
    }


def _only(payload: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {key: payload.get(key, default) for key, default in fields.items()}
    if "choices" in chosen:
        chosen["choices"] = [(choice["name"], choice["value"]) for choice in chosen["choices"]]
    return chosen
