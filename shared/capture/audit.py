"""The daily proof that nothing was lost: the ledger accounts for every entry and for every capture file."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.capture.evidence import report_day
from shared.capture.ports import IntegrationDirectory, ProblemSink
from shared.capture.sweep import Sweep
from shared.model.captures import Counts
from shared.model.integration import Integration
from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.store.captures import LEASE, CaptureStore, LedgerEntry
from shared.store.ledger_age import LedgerAge
from shared.store.leftovers import Leftovers
from shared.store.operations import OperationStore

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 4
_DAYS: Final = 3
"""Days that are looked at again, the present one not included, so that a problem ends when it was mended."""

_PATIENCE: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)

STILL_PARKED: Final = "parked entries"
"""Where the problem is if entries were parked and neither left nor wait."""


class Audit:
    """Checks the ledger.

    Args:
        captures: the ledger.
        operations: what waits.
        leftovers: removes what nobody needs.
        age: adds up days, and runs that are old.
        keep: how long each run keeps its own row.
        sweep: finds files that are not in the ledger.
        integrations: all of them.
        problems: where trouble is taken down.
        clock: gives the present in UTC.
    """

    def __init__(
        self,
        *,
        captures: CaptureStore,
        operations: OperationStore,
        leftovers: Leftovers,
        age: LedgerAge,
        keep: timedelta,
        sweep: Sweep,
        integrations: IntegrationDirectory,
        problems: ProblemSink,
        clock: Callable[[], datetime],
    ) -> None:
        self._captures = captures
        self._operations = operations
        self._leftovers = leftovers
        self._age = age
        self._keep = keep
        self._sweep = sweep
        self._integrations = integrations
        self._problems = problems
        self._clock = clock

    async def run(self) -> None:
        """Check the last days of every integration, send what was missed, and add up what is over.

        Raises:
            ExceptionGroup: some could not be checked; the others were.
        """
        now = self._clock()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(integration: Integration) -> None:
            async with gate:
                await self._check(integration.id, now)
                await self._add_up(integration.id, now)

        checks = [one(integration) for integration in await self._integrations.list_all()]
        sweep = self._sweep.sweep_since(_midnight(now) - _DAY)
        results = await asyncio.gather(*checks, sweep, self._leftovers.remove(now), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise BaseExceptionGroup("some integrations could not be checked", failures)

    async def _check(self, integration_id: str, now: datetime) -> None:
        # In this order: what is taken along from now on waits still, or its run is seen to be under way.
        waiting = await self._operations.waiting(integration_id)
        flushes = await self._captures.unfinished_flushes(now + LEASE)
        recent = [flush for flush in flushes if flush.integration_id == integration_id]
        for back in range(_DAYS, -1, -1):
            day = now - back * _DAY
            rows = await self._captures.day(integration_id, day)
            recent += rows
            if back:
                await self._note(integration_id, f"{day:%Y-%m-%d}", unaccounted(rows, now))
        waiting = max(waiting, await self._operations.waiting(integration_id))
        await self._note(integration_id, STILL_PARKED, lost_while_parked(recent, waiting))

    async def _add_up(self, integration_id: str, now: datetime) -> None:
        # Days that are over, and whose runs do not become one row at the same time.
        over = [now - LEASE - back * _DAY for back in range(1, self._keep.days)]
        for day, counts in (await self._age.sum_up(integration_id, over)).items():
            report_day(integration_id, day, counts)
        for back in range(_DAYS):
            await self._age.add_up(integration_id, now - self._keep - back * _DAY)

    async def _note(self, integration_id: str, where: str, wrong: str | None) -> None:
        now = self._clock()
        if wrong is None:
            await self._problems.settle(integration_id, where, now, None)
            return
        _log.error("unaccounted integration=%s where=%s: %s", integration_id, where, wrong)
        problem = Problem(integration_id, Reason.ENTRIES_UNACCOUNTED, where, wrong, now)
        await self._problems.report(problem)


def unaccounted(rows: Sequence[LedgerEntry], now: datetime) -> str | None:
    """What is wrong with the runs of a day, for people; None if every entry is accounted for."""
    unfinished = [row for row in rows if not row.done and now - (row.begun_at or now) > _PATIENCE]
    total = sum((row.counts for row in rows), Counts())
    found = []
    if total.missing:
        found.append(f"{total.missing} of {total.entries} entries are not accounted for")
    if unfinished:
        first = min(unfinished, key=lambda row: row.source)
        why = f" ({first.trouble})" if first.trouble else ""
        found.append(f"{len(unfinished)} files are not done, the first one {first.source or first.run}{why}")
    return "; ".join(found) or None


def lost_while_parked(rows: Sequence[LedgerEntry], waiting: int) -> str | None:
    """Whether of the entries that were parked some neither left nor wait.

    While a run is under way it may have taken entries along without saying so yet; then nothing can be told.

    Args:
        rows: all runs of some days up to the present.
        waiting: how many entries wait.
    """
    if any(not row.done for row in rows):
        return None
    total = sum((row.counts for row in rows), Counts())
    lost = total.still_parked - waiting
    return f"{lost} entries were parked and neither left nor wait" if lost > 0 else None


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
