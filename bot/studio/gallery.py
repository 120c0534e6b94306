"""Galleries: pages of avatars, and counts by value."""

from collections.abc import Mapping
from dataclasses import replace

from bot.errors import BadPrompt, NotAllowed
from bot.inference.engine import Engine
from bot.prompts.vocabulary import vocabulary
from bot.prompts.wish import check_wish
from bot.studio.facets import build_matrix, count_facets
from db.galleries import GalleryRepository
from db.gallery_queries import InvalidCursorError
from db.guilds import GuildRepository
from db.records import GalleryQuery, Page, PairCount
from export.manifest import Attribute

MAX_PAGE = 100  # avatars


class GalleryService:
    def __init__(
        self, engine: Engine, galleries: GalleryRepository, guilds: GuildRepository
    ) -> None:
        self._engine = engine
        self._galleries = galleries
        self._guilds = guilds

    @property
    def _attributes(self) -> tuple[Attribute, ...]:
        return self._engine.model.manifest.attributes

    async def page(self, query: GalleryQuery) -> Page:
        """Raises BadPrompt for an unknown attribute or value and for an invalid cursor; NotAllowed
        for a guild's gallery that its admins have closed.
        """
        if query.scope in ("mine", "favourites") and query.viewer is None:
            raise BadPrompt("studio-nobody")
        if query.scope == "guild":
            if query.guild is None:
                raise BadPrompt("studio-no-server")
            if not (await self._guilds.limits(query.guild)).gallery:
                raise NotAllowed("studio-gallery-closed")
        if not 1 <= query.limit <= MAX_PAGE:
            raise BadPrompt("studio-page-size", most=MAX_PAGE, limit=query.limit)
        query = replace(query, values=check_wish(query.values, self._attributes))
        try:
            return await self._galleries.page(query)
        except InvalidCursorError as error:
            raise BadPrompt("studio-page-gone") from error

    async def count(self, wish: Mapping[str, str]) -> int:
        """Number of public avatars with these values. Raises BadPrompt."""
        wish = check_wish(wish, self._attributes)
        return (await self._galleries.counts()).count(wish)

    async def facets(self, wish: Mapping[str, str]) -> dict[str, dict[str, int]]:
        """attribute -> value -> number of public avatars that have it and match the wish in the
        other attributes. Raises BadPrompt.
        """
        wish = check_wish(wish, self._attributes)
        return count_facets(await self._galleries.counts(), self._attributes, wish)

    async def matrix(self, rows: str, columns: str) -> dict[str, dict[str, PairCount]]:
        """Public avatars by the values of two attributes, without empty cells.

        Raises BadPrompt.
        """
        known = {attribute.name: attribute for attribute in self._attributes}
        for name in (rows, columns):
            if name not in known:
                raise vocabulary(self._attributes).unknown_attribute(name)
        if rows == columns:
            raise BadPrompt("matrix-same")
        pairs = await self._galleries.count_pairs(rows, columns)
        return build_matrix(pairs, known[rows], known[columns])
