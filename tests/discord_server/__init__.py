"""A stand-in Discord on loopback: REST API and gateway v10, as strict as the real one.

An unmodified discord.py logs in to it, in the test's own process or in one of its own; it finds
the way through `discord.http.Route.BASE` and `discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`,
which the bot sets from `discord.api_url` and `discord.gateway_url` of its settings.

    async with DiscordServer() as discord:
        ... start a bot with discord.api_url, discord.gateway_url and discord.token ...
        await discord.wait_connected()                      # identified, commands sent
        mio = discord.member("Mio")                         # in the default guild, "general"
        reply = await mio.slash("avatar", hair="pink", eyes="orange")
        reply.text, reply.pictures[0].data, reply.alt_texts, reply.buttons, reply.ephemeral
        other = await mio.click(reply, label="Again")       # or custom_id="…"
        await mio.select(other, "gallery:filter", ["pink"])
        [choice.value for choice in await mio.autocomplete("avatar", hair="pi")]
        assert discord.violations == []

**People** act as in Discord's client, and wait until the bot's answer is complete (no "thinking…"
any more). Where the bot breaks a rule or is late they raise BotError, which says why; where the
test asks for what the client would not let them do (a button that is not there, a missing option,
a message that they cannot see), ImpossibleError.

    discord.member(name, guild=None, permissions=0, installed=False, locale=None) -> Person
    discord.operator                                 -> Person who owns the application
    discord.role("art", mio, ren)                    -> Role, which they have from now on
    discord.user(name, installed=True)               -> Person without a guild (user install)
    person.slash("model use", channel=None, **options), .autocomplete(…, last option is typed)
    person.click(reply, label= | custom_id=), .select(reply, custom_id, values)
    person.submit(modal, **values), .user_command(name, target)
    person.say(text, channel=), .ask(text, channel=)  # ask mentions the bot, waits for its answer
    person.remove(reply), .messages(channel), .sees(reply), .dm

Options of type user, channel and role take a Person, a Channel and a Role. A channel is
`discord.general`, `discord.channel("art", guild=None, only=[mio])`, `person.dm` or
`discord.dm(a.user, b.user)`;
`discord.guild("Elsewhere", has_bot=False)` is a guild where only user installs work.

**A Reply** is the message as it is now: .text (all that can be read), .content, .embeds,
.components, .attachments and .pictures (each with .filename, .data, .description, .width, .url),
.alt_texts, .buttons, .selects, .ephemeral, .flags, .deleted; `await reply.changed()` waits for the
next edit, `await reply.painted()` for pictures, `await reply.fetch(attachment)` downloads. A slash
command or click may give a Modal instead: .title, .fields, .custom_id.

**What the bot did wrong** is in `discord.violations` (each with .code, .message, .where, .errors);
all requests are in `discord.calls`. Every body is held against Discord's own description of its
API where that lies beside the project; where it does not, there is a warning (`discord.schemas` is
None) and only the limits written here are checked. The stand-in's own answers are checked too:
leaving the `async with` fails if one was wrong.

**Trouble on demand**

    discord.provoke(r"/callback$", 429, retry_after=0.2, via=True, times=1)
    discord.provoke(r"/messages/@original$", 502, processed=True)     # done, but the answer lost
    discord.provoke(r"/webhooks/", None)                              # connection dropped
    discord.reconnect(), .invalidate(resumable=False), .close_gateway(4000), .drop_gateway()
    discord.file_bytes = 1000                        # a larger upload is refused (40005)
    discord.acknowledge_heartbeats = False; discord.resumable = False; discord.ask_heartbeat()
    discord.advance(15 * 60)                         # its clock: tokens, signed URLs, rate limits
    discord.wait_disconnected()                      # before a killed bot is started again
    discord.until(lambda: …, "what did not happen", within=5)  # looks when Discord's state changes

A second try of what a provoked fault made fail (40060 after a lost receipt) is no violation.

Counted: .session_starts, .resumes, .replayed (events), .heartbeats, .syncs (command overwrites).
"""

from .errors import BotError, ImpossibleError, Violation
from .model import (
    ADMINISTRATOR,
    MANAGE_GUILD,
    MANAGE_MESSAGES,
    Attachment,
    Channel,
    Guild,
    Role,
)
from .person import Person
from .replies import Button, Choice, Modal, Reply, Select
from .server import DiscordServer

__all__ = [
    "ADMINISTRATOR",
    "MANAGE_GUILD",
    "MANAGE_MESSAGES",
    "Attachment",
    "BotError",
    "Button",
    "Channel",
    "Choice",
    "DiscordServer",
    "Guild",
    "ImpossibleError",
    "Modal",
    "Person",
    "Reply",
    "Role",
    "Select",
    "Violation",
]
