"""Waiting for what happens elsewhere: poll, with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def wait_until[T](
    look: Callable[[], Awaitable[T | None]], seconds: float = 10.0, every: float = 0.05
) -> T:
    """The first answer of `look` that is not None and not False.

    Raises:
        TimeoutError: there was none in time.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = await look()
        if found is not None and found is not False:
            return found
        if time.monotonic() >= deadline:
            raise TimeoutError(f"it did not happen within {seconds:.0f} s")
        await asyncio.sleep(every)
