"""Waiting for changes of the fake server's state."""

import asyncio


class Notifier:
    """Wakes all waiting tasks on a change of state."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        await self._event.wait()
