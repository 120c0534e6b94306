"""Members' settings, and the deletion of a member's data."""

import logging
from dataclasses import replace

from bot.errors import BadPrompt
from bot.i18n.messages import LANGUAGES
from bot.inference.engine import Engine
from bot.prompts.vocabulary import quote
from bot.studio.painter import check_size
from db.errors import StoreUnavailable
from db.links import LinkRepository
from db.members import MemberRepository
from db.records import MemberSettings, Owner
from db.retention import RetentionRepository

log = logging.getLogger(__name__)


class MemberService:
    def __init__(
        self,
        engine: Engine,
        members: MemberRepository,
        links: LinkRepository,
        retention: RetentionRepository,
    ) -> None:
        self._engine = engine
        self._members = members
        self._links = links
        self._retention = retention
        self.stored_settings = members.settings

    async def delete_everything(self, owner: Owner) -> int:
        """Deletes the data of the owner and of all that are linked with it; the number of avatars.
        What is being painted is not stored.
        """
        count = 0
        # the browsers of a member first: if it is interrupted, the next call finds the rest
        for linked in reversed(await self._links.linked_owners(owner)):
            count += await self._members.delete_everything(linked)
        try:
            await self._retention.empty_log()
        except StoreUnavailable as error:  # it is emptied within an hour
            log.debug("the log of the database is not emptied: %s", error)
        return count

    async def settings(self, owner: Owner) -> MemberSettings:
        """What applies with the model in use: a size that it cannot paint is None."""
        settings = await self.stored_settings(owner)
        if settings.size in self._engine.model.sizes:
            return settings
        return replace(settings, size=None)

    async def save_settings(self, owner: Owner, settings: MemberSettings) -> None:
        """Saves changed `stored_settings`. Raises BadPrompt for an unknown size or language."""
        if settings.size != (await self.stored_settings(owner)).size:
            check_size(self._engine.model, settings.size)
        if settings.language not in (None, *LANGUAGES):
            raise BadPrompt("studio-language", language=quote(str(settings.language)))
        await self._members.save_settings(owner, settings)
