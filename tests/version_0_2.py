"""Data of version 0.2 and a fake Discord server with its messages; see fixtures/version-0.2."""

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from discord_server import DiscordServer, Reply, UserClient
from discord_server.attachments import Attachment
from discord_server.model import Interaction, Message, Role, User
from discord_server.permissions import ALL_PERMISSIONS, EVERYONE, MANAGE_GUILD
from discord_server.server import make_token

FOLDER = Path(__file__).parent / "fixtures" / "version-0.2"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
DISCORD: dict[str, Any] = json.loads((FOLDER / "discord.json").read_text("utf-8"))


def copy_database(folder: Path) -> str:
    """Copies the database with recent pending replies and usage, and returns its URL."""
    file = shutil.copy(FOLDER / "irodori.db", folder / "irodori.db")
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE owed SET created = ?", (now,))
        connection.execute("UPDATE usage SET created = ?", (now,))
    connection.close()
    return f"sqlite+aiosqlite:///{file}"


def copy_models(folder: Path) -> Path:
    return shutil.copytree(FOLDER / "models", folder / "models")


class EarlierDiscord:
    """The fake server with the members, messages and pending replies of version 0.2."""

    def __init__(self, server: DiscordServer) -> None:
        self.server = server
        _restore_server(server)
        self.members = {
            name: _restore_member(server, name, id) for name, id in DISCORD["members"].items()
        }
        role = Role("artists", DISCORD["role"], {self.members["Ren"].id})
        server.default_guild.roles.append(role)
        self.messages = {
            name: Reply(server, _restore_message(server, recorded))
            for name, recorded in DISCORD["messages"].items()
        }
        self.pending = {
            name: _restore_pending(server, recorded)
            for name, recorded in DISCORD["pending"].items()
        }


def _restore_server(server: DiscordServer) -> None:
    server.users.clear()
    server.channels.clear()
    server.bot.id = server.application_id = DISCORD["application"]
    server.owner.id = DISCORD["owner"]
    server.token = make_token(server.application_id)
    server.users |= {user.id: user for user in (server.bot, server.owner)}
    guild = server.default_guild
    guild.id, guild.owner_id = DISCORD["guild"], server.owner.id
    guild.members = {server.owner.id: ALL_PERMISSIONS, server.bot.id: EVERYONE}
    server.general.id = DISCORD["channel"]
    server.channels[server.general.id] = server.general
    server.syncs = 1  # the commands are registered; see the notes in the database


def _restore_member(server: DiscordServer, name: str, id: int) -> UserClient:
    server.users[id] = User(name, id=id)
    return server.member(name, permissions=MANAGE_GUILD if name == "Aki" else 0)


def _restore_message(server: DiscordServer, recorded: dict[str, Any]) -> Message:
    message = Message(
        server.general,
        server.users[recorded["author"]],
        recorded["content"],
        components=recorded["components"],
        files=[_restore_file(server, file) for file in recorded["files"]],
        shown=set(recorded["shown"]),
        flags=recorded["flags"],
        type=recorded["type"],
        only_for=recorded["only_for"],
        mentions=[server.users[id] for id in recorded["mentions"]],
        id=recorded["id"],
    )
    if recorded["interaction"] is not None:
        message.interaction = _restore_interaction(server, recorded["interaction"])
    server.general.messages.append(message)
    server.messages[message.id] = message
    return message


def _restore_file(server: DiscordServer, recorded: dict[str, Any]) -> Attachment:
    return Attachment(
        recorded["filename"],
        b"",
        recorded["description"],
        server.url,
        server.general.id,
        expires=int(server.unix_time()),
        id=recorded["id"],
    )


def _restore_interaction(server: DiscordServer, recorded: dict[str, Any]) -> Interaction:
    return Interaction(
        recorded["type"],
        recorded["data"],
        server.users[recorded["user"]],
        server.general,
        server.application_id,
        recorded["owners"],
        recorded["context"],
        server.clock(),
        message=server.messages.get(recorded["message"]),
        answer=recorded["answer"],
        id=recorded["id"],
        token=recorded["token"],
    )


def _restore_pending(server: DiscordServer, recorded: dict[str, Any]) -> Reply | None:
    """A reply that shows "thinking…" or "Painting…"; None if nothing is shown yet."""
    if "said" in recorded:
        _restore_message(server, recorded["said"])
        shown = recorded["reply"]
        return Reply(server, _restore_message(server, shown)) if shown else None
    interaction = _restore_interaction(server, recorded["interaction"])
    original = _restore_message(server, recorded["original"])
    interaction.original, original.interaction = original, interaction
    server.interactions[interaction.token] = interaction
    return Reply(server, original)
