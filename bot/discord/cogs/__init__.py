"""One cog for each capability of the bot. To add one, copy the shortest, and name it in COGS.

A cog gets the bot (`bot.studio` does the work). It may have
- `components`: the DynamicItems that it brings, so that old messages' buttons find them;
- `wish_commands()`: commands whose options are the model's attributes; asked for anew whenever a
  model with other attributes is taken over.
"""

from typing import Any

from bot.discord.cogs.avatar import AvatarCog
from bot.discord.cogs.gallery import GalleryCog
from bot.discord.cogs.help import HelpCog
from bot.discord.cogs.limits import LimitsCog
from bot.discord.cogs.me import MeCog
from bot.discord.cogs.mention import MentionCog
from bot.discord.cogs.mix import MixCog
from bot.discord.cogs.model import ModelCog
from bot.discord.cogs.morph import MorphCog
from bot.discord.cogs.privacy import PrivacyCog
from bot.discord.cogs.settings import SettingsCog
from bot.discord.cogs.show import ShowCog
from bot.discord.cogs.stats import StatsCog

COGS: tuple[type[Any], ...] = (
    AvatarCog,
    MeCog,
    MentionCog,
    ShowCog,
    HelpCog,
    GalleryCog,
    MixCog,
    MorphCog,
    SettingsCog,
    PrivacyCog,
    LimitsCog,
    ModelCog,
    StatsCog,
)
