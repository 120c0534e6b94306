"""Reports of pictures by members and visitors, for the operators to decide about."""

from collections.abc import Callable

from bot.errors import BadPrompt, NotAllowed, NotFound
from bot.prompts.vocabulary import quote, tidy
from bot.studio.avatars import AvatarService
from db.records import Avatar, Owner, Reported
from db.reports import ReportRepository

MAX_REASON = 300  # characters
MAX_OPEN = 20  # reports of one owner about which nobody has decided
QUEUE = 50  # pictures that the queue shows

Listener = Callable[[Avatar, int, str], None]


class ReportService:
    def __init__(self, avatars: AvatarService, reports: ReportRepository) -> None:
        self._avatars = avatars
        self._reports = reports
        self._listeners: list[Listener] = []
        self.by = reports.by

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener with each reported picture, the number of its reports and the reason;
        returns the function that unsubscribes. A listener must neither block nor raise.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def report(self, id: str, by: Owner, reason: str = "") -> Avatar:
        """Raises NotFound for a picture that is not public, BadPrompt for a long reason, NotAllowed
        if too many of the owner's reports are open.
        """
        reason = tidy(reason, len(reason))
        if len(reason) > MAX_REASON:
            raise BadPrompt("report-long", most=MAX_REASON)
        avatar = await self._avatars.get(id, viewer=None)
        if await self._reports.count_by(by) >= MAX_OPEN:
            raise NotAllowed("report-too-many", most=MAX_OPEN)
        count = await self._reports.add(avatar.id, by, reason)
        if not count:
            raise NotFound("studio-no-avatar", id=quote(id))
        for listener in tuple(self._listeners):
            listener(avatar, count, reason)
        return avatar

    async def open(self) -> list[Reported]:
        """The longest waiting first."""
        return await self._reports.open(QUEUE)

    async def dismiss(self, id: str) -> None:
        """The picture stays public. Raises NotFound."""
        avatar = await self._avatars.get(id, viewer=None, moderator=True)
        await self._reports.close(avatar.id)
