"""Converts stored pictures to other sizes and files, for downloads."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec

from bot.errors import Busy

MAX_WAITING = 100  # conversions; the longest, a zip file, takes less than 0.1 s
BUSY_SECONDS = 5  # after which another one may be requested

P = ParamSpec("P")


class Converter:
    """One conversion at a time, in a thread of its own: however many downloads are requested,
    painting keeps the other processors and the default threads.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "converter")
        self._waiting = 0

    async def run(self, convert: Callable[P, bytes], /, *args: P.args, **kwargs: P.kwargs) -> bytes:
        """The converted file. Raises Busy."""
        if self._waiting >= MAX_WAITING:
            raise Busy(BUSY_SECONDS)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, partial(convert, *args, **kwargs))
        finally:
            self._waiting -= 1
