"""The weekly bracket of a server: its most loved new pictures in pairs, and votes for them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from bot.errors import NotFound
from bot.studio.images import numbered_grid, square
from db.avatars import AvatarRepository
from db.brackets import BracketRepository
from db.records import Avatar, Bracket, Owner

ROUND = timedelta(days=2)
SPAN = timedelta(days=7)  # in which the pictures were painted
BANNER_SPAN = timedelta(days=14)  # for which a winner is the banner of the gallery
# The places of the pictures, the most loved being 0: the most loved two meet in the last round.
PLACES = {2: (0, 1), 4: (0, 3, 1, 2), 8: (0, 7, 3, 4, 1, 6, 2, 5)}
SIDE = 192  # pixels of one picture


class BracketService:
    def __init__(self, brackets: BracketRepository, avatars: AvatarRepository) -> None:
        self._brackets = brackets
        self._avatars = avatars
        self.get = brackets.get
        self.pictures = brackets.pictures

    async def step(self, guild: str, now: datetime) -> Bracket | None:
        """Opens the bracket of the week, or ends a round that is over. Returns the newest bracket;
        None if there are too few pictures for one.
        """
        year, week, _ = now.isocalendar()
        name = f"{year}-W{week:02}"
        latest = await self._brackets.latest(guild)
        if latest is None or (latest[0].finished is not None and latest[1] != name):
            found = await self._brackets.candidates(guild, now - SPAN, max(PLACES))
            count = max((count for count in PLACES if count <= len(found)), default=0)
            if count:
                entrants = [found[place] for place in PLACES[count]]
                await self._brackets.open(guild, name, entrants, now + ROUND)
        elif latest[0].finished is None and latest[0].ends <= now:
            bracket = latest[0]
            winners = await self._winners(bracket)
            await self._brackets.advance(bracket, winners, now + ROUND, now)
        latest = await self._brackets.latest(guild)
        return None if latest is None else latest[0]

    async def vote(self, id: int, round: int, number: int, owner: Owner) -> Bracket:
        """Votes for the picture of this number, from 1; returns the bracket. A member has one vote
        in each pair, and can change it until the round is over. Raises NotFound.
        """
        bracket = await self._brackets.get(id)
        if bracket is None or bracket.finished is not None or bracket.round != round:
            raise NotFound("bracket-over")
        pair, choice = divmod(number - 1, 2)
        if not 0 <= pair < len(bracket.rounds[-1]) // 2:
            raise NotFound("bracket-over")
        if not await self._brackets.vote(bracket, pair, owner, choice):
            raise NotFound("bracket-over")
        return bracket

    async def picture(self, bracket: Bracket) -> bytes:
        """A WebP of the current round, one pair in each row; deleted pictures are blank."""
        ids = bracket.rounds[-1]
        known = await self._brackets.pictures(ids)
        files = {id: await self._avatars.picture(id) for id in known}
        blank = np.zeros((SIDE, SIDE, 3), np.uint8)

        def draw() -> bytes:
            images = [
                square(file.data, SIDE) if id is not None and (file := files.get(id)) else blank
                for id in ids
            ]
            return numbered_grid(np.stack(images), columns=2)

        return await asyncio.to_thread(draw)

    async def banner(self, now: datetime) -> Avatar | None:
        """The newest winner of all servers, which the page of the gallery shows."""
        return await self._brackets.banner(now - BANNER_SPAN)

    async def _winners(self, bracket: Bracket) -> list[str | None]:
        ids = bracket.rounds[-1]
        public = await self._brackets.pictures(ids)
        votes = await self._brackets.votes(bracket)
        return [
            _winner(ids[2 * pair : 2 * pair + 2], public, (votes[pair, 0], votes[pair, 1]))
            for pair in range(len(ids) // 2)
        ]


def _winner(
    pair: Sequence[str | None], public: Mapping[str, Avatar], votes: tuple[int, int]
) -> str | None:
    """The one with more votes, then with more favorites, then the first; only public ones."""
    left = [
        (votes[place], public[id].favorites, -place, id)
        for place, id in enumerate(pair)
        if id is not None and id in public
    ]
    return max(left)[-1] if left else None
