"""The one clock of the simulated Azure: real time, or time that a test moves."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time and waits for it.

    Args:
        start: a moment at which the clock stands still until it is moved; None follows real time.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._standing = start
        self._standing_seconds = 0.0
        self._ahead = timedelta()
        self._sleepers: set[asyncio.Event] = set()

    def now(self) -> datetime:
        """The moment, in UTC."""
        return (self._standing or datetime.now(UTC)) + self._ahead

    def seconds(self) -> float:
        """Seconds that only grow, for rates and durations."""
        base = self._standing_seconds if self._standing else time.monotonic()
        return base + self._ahead.total_seconds()

    def stop(self) -> None:
        """Stand still from now on, until moved."""
        if self._standing is None:
            self._standing, self._standing_seconds = datetime.now(UTC), time.monotonic()

    def move(self, seconds: float) -> None:
        """Go forward by so many seconds and wake those whose moment has come."""
        self._ahead += timedelta(seconds=seconds)
        for sleeper in self._sleepers:
            sleeper.set()

    async def sleep(self, seconds: float) -> None:
        """Return when so many seconds have passed on this clock."""
        until = self.seconds() + seconds
        moved = asyncio.Event()
        self._sleepers.add(moved)
        try:
            while (left := until - self.seconds()) > 0:
                moved.clear()
                try:
                    async with asyncio.timeout(None if self._standing else left):
                        await moved.wait()
                except TimeoutError:
                    continue
        finally:
            self._sleepers.discard(moved)
