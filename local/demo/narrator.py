"""Says what is happening, with the time since the start."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from rich.console import Console

_WIDTH = 24
_POLL_SECONDS = 0.4


class TooSlowError(RuntimeError):
    """Something did not happen in time; the message says what was there instead."""


class Narrator:
    """Prints lines; every one begins with the seconds since the start."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        """Print a line."""
        self.console.print(f"[dim]{self.seconds:6.1f} s[/dim]  {text}")

    async def follow(
        self, what: str, look: Callable[[], Awaitable[tuple[int, int, str]]], seconds: float
    ) -> None:
        """Show progress until a number reaches its goal.

        Args:
            what: is counted.
            look: gives the number now, the goal now, and a few words.
            seconds: it may take.

        Raises:
            TooSlowError: the goal was not reached in time.
        """
        deadline = time.monotonic() + seconds
        last = None
        while True:
            seen = await look()
            number, goal, words = seen
            if seen != last:
                self.say(f"{what:<24} {_bar(number, goal)} {number:>4}/{goal:<4} {words}")
                last = seen
            if number >= goal:
                return
            if time.monotonic() > deadline:
                raise TooSlowError(f"{what}: {number} of {goal} after {seconds:.0f} s; {words}")
            await asyncio.sleep(_POLL_SECONDS)


def _bar(number: int, goal: int) -> str:
    full = _WIDTH if goal <= 0 else min(_WIDTH * number // goal, _WIDTH)
    return "█" * full + "░" * (_WIDTH - full)
