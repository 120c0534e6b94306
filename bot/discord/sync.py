"""Tells Discord about the commands, and only when they differ from those that it has."""

import logging
from collections.abc import Mapping
from typing import Any

import discord
from discord import app_commands

logger = logging.getLogger(__name__)

# Discord adds fields of its own; these are ours, with what it leaves out when they are not set.
COMMAND = {"type": 1, "name": "", "description": "", "nsfw": False}
PLACES = ("contexts", "integration_types")
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


async def sync_if_changed(tree: app_commands.CommandTree[Any], guild: int | None) -> bool:
    """Whether they differed. `guild` is the server that has the commands; None: all have them.

    Raises discord.HTTPException.
    """
    place = None if guild is None else discord.Object(guild)
    if place is not None:
        tree.copy_global_to(guild=place)
    known = [
        {**command.to_dict(), "nsfw": command.nsfw}
        for command in await tree.fetch_commands(guild=place)
    ]
    wanted = [command.to_dict(tree) for command in tree.get_commands(guild=place)]
    # where a command may be used is a property of global commands alone
    places = PLACES if place is None else ()
    if _essence(known, places) == _essence(wanted, places):
        return False
    synced = await tree.sync(guild=place)
    logger.info("commands synced: %s", ", ".join(f"/{command.name}" for command in synced))
    return True


def _essence(commands: list[Any], places: tuple[str, ...]) -> dict[str, Any]:
    return {
        command["name"]: (
            _only(command, COMMAND),
            [_only(option, OPTION) for option in command.get("options", [])],
            [sorted(command.get(place) or []) for place in places],
        )
        for command in commands
    }


def _only(payload: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {key: payload.get(key, default) for key, default in fields.items()}
    if "choices" in chosen:
        chosen["choices"] = [(c["name"], c["value"]) for c in chosen["choices"]]
    return chosen
