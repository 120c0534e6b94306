"""The store: the repositories on one database."""

import logging
from datetime import UTC, datetime

from db.avatars import AvatarRepository
from db.brackets import BracketRepository
from db.community import CommunityRepository, PuzzleRepository
from db.condition_counts import ConditionCounts
from db.database import Database
from db.engine import CONNECTIONS, connect
from db.errors import StoreUnavailable
from db.events import PaintedEvents
from db.favorites import FavoriteRepository
from db.galleries import GalleryRepository
from db.guilds import GuildRepository
from db.links import LinkRepository
from db.members import MemberRepository
from db.notes import NoteRepository
from db.pending_replies import PendingReplyRepository
from db.posts import PostRepository
from db.presence import PresenceRepository
from db.processes import ProcessRepository
from db.rate_buckets import RateBucketRepository
from db.records import Statistics
from db.reports import ReportRepository
from db.retention import RetentionRepository
from db.statistics import read_statistics
from db.usage import UsageRepository

logger = logging.getLogger(__name__)


class Store:
    """Changes are on disk when a method returns."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts = counts = ConditionCounts(database)
        self.avatars = AvatarRepository(database, counts)
        self.brackets = BracketRepository(database)
        self.community = CommunityRepository(database)
        self.events = PaintedEvents(database)
        self.favorites = FavoriteRepository(database)
        self.galleries = GalleryRepository(database, counts)
        self.guilds = GuildRepository(database)
        self.links = LinkRepository(database)
        self.members = MemberRepository(database, counts)
        self.notes = NoteRepository(database)
        self.pending_replies = PendingReplyRepository(database)
        self.posts = PostRepository(database)
        self.presence = PresenceRepository(database)
        self.processes = ProcessRepository(database)
        self.puzzles = PuzzleRepository(database)
        self.rate_buckets = RateBucketRepository(database)
        self.reports = ReportRepository(database)
        self.retention = RetentionRepository(database, counts)
        self.usage = UsageRepository(database)

    @classmethod
    async def open(cls, url: str, connections: int = CONNECTIONS) -> "Store":
        """Opens the database and brings its schema up to date.

        `sqlite+aiosqlite:///PATH` (created if it is missing) or `postgresql+asyncpg://…`.
        Raises db.errors.StoreError.
        """
        return cls(Database(await connect(url, connections)))

    async def statistics(self) -> Statistics:
        return await read_statistics(self._database, self._counts)

    async def check(self) -> None:
        """Writes one row, and reads the newest picture. Raises an error if the database fails."""
        await self.notes.set("checked", datetime.now(UTC).isoformat(timespec="seconds"))
        await self.avatars.read_newest()

    async def close(self) -> None:
        await self.pending_replies.finish()
        await self.usage.finish()
        try:
            await self.processes.leave()
        except StoreUnavailable as error:  # it expires
            logger.info("the lease of this process is not ended: %s", error)
        await self._counts.close()
        await self._database.close()
