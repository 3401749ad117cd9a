"""A visit to many objects of one subscription: a bounded number at once, each with a row of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from shared.arm.errors import ArmError, ThrottledError, UnavailableError
from shared.store.tables import ConflictError, Stored

AT_ONCE: Final = 16
"""Calls to Azure under way at once for one subscription."""

MOST_PER_JOB: Final = 500
"""Objects in one visit; a larger subscription takes several."""


@dataclass(slots=True)
class Visit[T]:
    """What became of a visit.

    Attributes:
        changed: rows as they were and are to be.
        hindrance: what stopped it, if anything did.
    """

    changed: list[tuple[Stored[T], T]]
    hindrance: ArmError | None = None


async def visit[T](rows: Sequence[Stored[T]], look_after: Callable[[T], Awaitable[T]]) -> Visit[T]:
    """Look after the objects of some rows, until Azure does not answer any more."""
    made = Visit[T]([])
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(row: Stored[T]) -> None:
        async with gate:
            if made.hindrance is not None:
                return
            try:
                after = await look_after(row.fact)
            except (ThrottledError, UnavailableError) as error:
                made.hindrance = error
                return
            made.changed.append((row, after))

    await asyncio.gather(*map(one, rows))
    return made


async def save[T](
    changed: Sequence[tuple[Stored[T], T]], write: Callable[[Iterable[Stored[T]]], Awaitable[None]]
) -> None:
    """Write rows, and where somebody else was at some of them, the others all the same."""
    try:
        await write([Stored(after, before.etag) for before, after in changed])
    except ConflictError:
        for before, after in changed:
            with suppress(ConflictError):
                await write([Stored(after, before.etag)])
