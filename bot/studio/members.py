"""Members' settings, and the deletion of a member's data."""

from dataclasses import replace

from bot.errors import BadPrompt
from bot.i18n.messages import LANGUAGES
from bot.inference.engine import Engine
from bot.prompts.vocabulary import quote
from bot.studio.painter import check_size
from db.members import MemberRepository
from db.records import MemberSettings, Owner


class MemberService:
    def __init__(self, engine: Engine, members: MemberRepository) -> None:
        self._engine = engine
        self._members = members
        self.delete_everything = members.delete_everything

    async def settings(self, owner: Owner) -> MemberSettings:
        """A size that the model in use cannot paint is returned as None."""
        settings = await self._members.settings(owner)
        if settings.size in self._engine.model.sizes:
            return settings
        return replace(settings, size=None)

    async def save_settings(self, owner: Owner, settings: MemberSettings) -> None:
        """Raises BadPrompt for an unknown size or language."""
        check_size(self._engine.model, settings.size)
        if settings.language not in (None, *LANGUAGES):
            raise BadPrompt("studio-language", language=quote(str(settings.language)))
        await self._members.save_settings(owner, settings)
