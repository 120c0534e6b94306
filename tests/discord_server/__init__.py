"""A fake Discord server on localhost: REST API and gateway v10, as strict as the real one.

An unmodified discord.py logs in to it, in the test's process or in a separate one; the bot takes
the addresses from its settings `discord.api_url` and `discord.gateway_url`, and writes them to
`discord.http.Route.BASE` and `discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`.

    async with DiscordServer() as discord:
        ... start a bot with discord.api_url, discord.gateway_url and discord.token ...
        await discord.wait_connected()                      # identified, commands sent
        mio = discord.member("Mio")                         # in the default guild, "general"
        reply = await mio.slash("avatar", hair="pink", eyes="orange")
        reply.text, reply.pictures[0].data, reply.alt_texts, reply.buttons, reply.ephemeral
        other = await mio.click(reply, label="Again")       # or custom_id="…"
        await mio.select(other, "gallery:filter", ["pink"])     # forged=True: a value not offered
        [choice.value for choice in await mio.autocomplete("avatar", hair="pi")]
        assert discord.violations == []

**A UserClient** is the Discord client of one user. Its methods wait until the bot's reply is
complete (no longer "thinking…"). They raise BotError with the reason if the bot breaks a rule or is
late, and ImpossibleActionError if the client would not allow the action (a missing button, a
missing option, an invisible message).

    discord.member(name, guild=None, permissions=0, installed=False, locale=None) -> UserClient
    await discord.join("Aki"), discord.leave(client) # while the bot is connected
    discord.operator                                 -> UserClient of the application's owner
    discord.role("art", mio, ren)                    -> Role, given to these members
    discord.user(name, installed=True)               -> UserClient without a guild (user install)
    client.slash("model use", channel=None, **options)
    client.slash("show", picture=("face.png", data))  # an attachment: its name and bytes
    client.autocomplete(…)                           # the last option is being typed
    client.click(reply, label= | custom_id=), .select(reply, custom_id, values)
    client.choose(reply, custom_id, [channel])       # in a select of channels or roles
    client.slash_for_modal(…), .click_for_modal(…)   -> Modal
    client.submit(modal, **values), .user_command(name, target)
    client.send(text, channel=)
    client.mention_bot(text, channel=)               # waits for the reply
    client.delete(reply), .messages(channel), .can_see(reply), .dm

Options of type user, channel and role take a UserClient, a Channel and a Role. A channel is
`discord.general`, `client.dm`, `discord.dm(a.user, b.user)` or
`discord.channel("art", guild=None, only=[mio], denied=READ_MESSAGE_HISTORY)`;
`discord.guild("Elsewhere", has_bot=False)` is a guild where only user installs work.

**A Reply** is a message in its current state: .text (all text), .content, .embeds, .components,
.attachments and .pictures (each with .filename, .data, .description, .width, .url), .alt_texts,
.buttons, .selects, .ephemeral, .flags, .deleted. `await reply.wait_for_edit()` waits for the next
edit, `await reply.wait_for_pictures()` for pictures; `await reply.fetch(attachment)` downloads.
**A Modal** has .title, .fields, .custom_id.

**Errors of the bot** are in `discord.violations` (each with .code, .message, .where, .errors), all
requests in `discord.calls`. Request bodies are validated against Discord's OpenAPI description if
the file is available; otherwise there is a warning, `discord.schemas` is None, and only the limits
written here are checked. The responses of the fake server are validated too: leaving the
`async with` fails if one was invalid.

**Faults**

    discord.inject_fault(r"/callback$", 429, retry_after=0.2, via=True, times=1)
    discord.inject_fault(r"/messages/@original$", 502, processed=True)   # only the response is lost
    discord.inject_fault(r"/webhooks/", None)                            # connection dropped
    discord.inject_fault(r"/typing$", 403, method="POST", times=3)       # refused
    discord.request_reconnect(), .invalidate_session(resumable=False), .request_heartbeat()
    discord.close_gateway(4000), .drop_gateway()
    discord.file_bytes = 1000                        # larger uploads are rejected (40005)
    discord.acknowledge_heartbeats = False; discord.resumable = False
    discord.advance_clock(15 * 60)                   # tokens, signed URLs, rate limits
    discord.wait_disconnected()                      # before a killed bot is started again
    discord.wait_until(lambda: …, "description of the failure", within=5)

A retry after an injected fault (40060 after a lost response) is not a violation.

**Counters**: .session_starts, .resumes, .replayed (events), .heartbeats, .syncs (command
overwrites). .activities are those of the bot's status.
"""

from .attachments import Attachment
from .errors import BotError, ImpossibleActionError, Violation
from .model import Channel, Guild, Role
from .permissions import ADMINISTRATOR, MANAGE_GUILD, MANAGE_MESSAGES, READ_MESSAGE_HISTORY
from .replies import Button, Choice, Modal, Reply, Select
from .server import DiscordServer
from .user_client import UserClient

__all__ = [
    "ADMINISTRATOR",
    "MANAGE_GUILD",
    "MANAGE_MESSAGES",
    "READ_MESSAGE_HISTORY",
    "Attachment",
    "BotError",
    "Button",
    "Channel",
    "Choice",
    "DiscordServer",
    "Guild",
    "ImpossibleActionError",
    "Modal",
    "Reply",
    "Role",
    "Select",
    "UserClient",
    "Violation",
]
