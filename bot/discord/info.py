"""The text of a picture's info."""

import discord

from bot.discord.options import option_names
from bot.discord.text import title
from bot.errors import NotFound
from bot.i18n.messages import describe, say, shorten
from bot.studio import Studio
from db.records import Avatar, Owner

MAX_TEXT = 1900  # characters; Discord allows 2000 in a message


async def info_of(studio: Studio, avatar: Avatar, viewer: Owner, language: str) -> str:
    """Everything about an avatar; parents that the viewer may not see are not named."""
    escape = discord.utils.escape_markdown
    parents = [await _parent(studio, id, viewer, language) for id in avatar.parents]
    by = f"<@{avatar.owner.key}>" if avatar.owner.kind == "discord" else ""
    facts = {
        "values": describe(avatar.conditions, language),
        "wish": describe(avatar.wish, language) or say("info-any", language),
        "seed": f"`{avatar.seed}`",
        "model": _model(studio, avatar, language),
        "size": say("info-size-value", language, width=avatar.width, height=avatar.height),
        "id": f"`{avatar.id}`",
        "parents": " + ".join(parents),
        "choices": f"`{avatar.choices}`" if avatar.choices is not None else "",
        "by": by or say("info-visitor", language),
        "when": discord.utils.format_dt(avatar.created),
        "favorites": f"♥ {avatar.favorites}" if avatar.favorites else "",
    }
    for name in ("values", "wish"):
        facts[name] = escape(facts[name])
    lines = [f"**{escape(title(avatar, language))}**"]
    lines += [f"{say(f'info-{name}', language)}: {fact}" for name, fact in facts.items() if fact]
    if avatar.private:
        key = "info-hidden" if avatar.hidden else "info-private"
        lines.append(f"🔒 {say(key, language)}")
    repeatable = studio.painting.is_repeatable(avatar)
    copy = "info-copy" if repeatable else "info-copy-like"
    lines.append(f"{say(copy, language)}:\n```\n{_command_line(avatar, repeatable)}\n```")
    return shorten("\n".join(lines), MAX_TEXT)


def _model(studio: Studio, avatar: Avatar, language: str) -> str:
    model = f"`{avatar.model}`"
    if studio.painting.is_model_in_use(avatar):
        return model
    return say("picture-other-model", language, model=model)


def _command_line(avatar: Avatar, repeatable: bool) -> str:
    """A command that paints the same picture, or a similar one if it is not repeatable."""
    options = option_names(list(avatar.wish), taken=())
    typed = [f"{options[name]}:{value}" for name, value in avatar.wish.items()]
    if repeatable:
        typed += [f"seed:{avatar.seed}", f"size:{avatar.width}"]
    return " ".join(["/avatar", *typed])


async def _parent(studio: Studio, id: str, viewer: Owner, language: str) -> str:
    try:
        parent = await studio.avatars.get(id, viewer)
    except NotFound:  # deleted or private; the text does not say which
        return say("info-gone", language)
    return f"`{id}` ({discord.utils.escape_markdown(title(parent, language))})"
