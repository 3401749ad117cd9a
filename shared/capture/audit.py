"""The daily proof that nothing was lost: the ledger accounts for every entry and for every capture file."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from shared.capture.evidence import report_day
from shared.capture.ports import IntegrationDirectory, ProblemSink
from shared.capture.sweep import Sweep, midnight
from shared.model.captures import CaptureFile, Counts
from shared.model.hubs import HubAssignment
from shared.model.integration import Integration
from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.store.captures import CaptureStore
from shared.store.ledger import LEASE, LedgerEntry
from shared.store.ledger_age import LedgerAge
from shared.store.leftovers import Leftovers
from shared.store.operations import OperationStore

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 4
_DAYS: Final = 2
"""Days that are looked at in any case, the present one not included: what was captured late may be there."""

_OLD_DAYS: Final = 3
"""Days whose runs become one row are gone through once more, in case that was cut off."""

_PATIENCE: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_DATE: Final = "%Y-%m-%d"

STILL_PARKED: Final = "parked entries"
"""Where the problem is if entries were parked and neither left nor wait."""

NOT_FLUSHED: Final = "flushes"
"""Where the problem is if a flush was begun that cannot be ended."""


class OpenProblems(ProblemSink, Protocol):
    """Takes down what is broken, and knows what still is."""

    async def list(self, integration_id: str) -> Sequence[Problem]:
        """The problems of an integration that last."""


class Audit:
    """Checks the ledger.

    Args:
        captures: the ledger.
        operations: what waits.
        leftovers: removes what nobody needs.
        age: adds up days, and runs that are old.
        keep: how long each run keeps its own row.
        sweep: finds files that are not in the ledger, and sends them.
        integrations: all of them.
        problems: where trouble is taken down, and stays until it is mended.
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
        problems: OpenProblems,
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
        """Check every integration, send what was missed, and add up what is over.

        A day is looked at until it was found right: as long as it has no sum that holds, a run of it is not
        done, or its problem lasts.

        Raises:
            ExceptionGroup: some could not be checked; the others were.
        """
        now = self._clock()
        gate = asyncio.Semaphore(_AT_ONCE)
        assigned = await self._sweep.assigned()

        async def one(integration: Integration) -> None:
            async with gate:
                hubs = assigned.get(integration.id, ())
                checked = await self._check_days(integration.id, hubs, now)
                missed = await self._sweep.missed_on(hubs, midnight(now))
                await self._sweep.send(file.path for file in missed)
                await self._check_parked(integration.id)
                await self._forget(integration.id)
                await self._add_up(integration.id, checked, now)

        checks = [one(integration) for integration in await self._integrations.list_all()]
        results = await asyncio.gather(*checks, self._leftovers.remove(now), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise BaseExceptionGroup("some integrations could not be checked", failures)

    async def _check_days(
        self, integration_id: str, hubs: Sequence[HubAssignment], now: datetime
    ) -> dict[datetime, str | None]:
        """By day that was looked at what is wrong with it."""
        checked = {}
        for day in await self._days(integration_id, now):
            rows = await self._captures.day(integration_id, day)
            missed = await self._sweep.missed_on(hubs, day)
            checked[day] = unaccounted(rows, missed, now)
            await self._note(integration_id, f"{day:{_DATE}}", checked[day])
            # After the problem: whoever dies in between comes back to the day because of it.
            # Those that are gone, too: they go aside in the end, and whoever waits for them gets on.
            unfinished = {row.source for row in rows if not row.done and not row.is_leased(now)}
            await self._sweep.send(sorted(unfinished | {file.path for file in missed}))
        return checked

    async def _days(self, integration_id: str, now: datetime) -> list[datetime]:
        """The days that are to be looked at, the oldest first."""
        today = midnight(now)
        days = {today - back * _DAY for back in range(1, _DAYS + 1)}
        days.update(await self._age.not_summed_up(integration_id, self._over(now)))
        days.update(midnight(run.day) for run in await self._age.under_way(integration_id))
        days.update(_troubled(await self._problems.list(integration_id)))
        return sorted(day for day in days if day < today)

    def _over(self, now: datetime) -> list[datetime]:
        """The days of which all files should be done, without those whose runs are becoming one row."""
        last = midnight(now - _PATIENCE)
        return [last - back * _DAY for back in range(1, self._keep.days - 1)]

    async def _check_parked(self, integration_id: str) -> None:
        # In this order: what is taken along from now on waits still, or its run is seen to be under way.
        waiting = await self._operations.waiting(integration_id)
        now = self._clock()
        runs = await self._under_way(integration_id, now)
        flushes = [run for run in runs if not run.source]
        await self._note(integration_id, NOT_FLUSHED, not_ended(flushes, now))
        total = await self._captures.totals(integration_id)
        waiting = max(waiting, await self._operations.waiting(integration_id))
        if not any(_may_have_taken_along(run, now) for run in runs):
            await self._note(integration_id, STILL_PARKED, lost_while_parked(total, waiting))

    async def _forget(self, integration_id: str) -> None:
        """Forget what no run needs any more that is under way, and may have taken it along."""
        now = self._clock()
        runs = await self._under_way(integration_id, now)
        held = min([now, *(run.day for run in runs)]) - LEASE
        await self._operations.forget(integration_id, now, held)

    async def _under_way(self, integration_id: str, now: datetime) -> list[LedgerEntry]:
        """The flushes and capture files that were begun and are not done."""
        flushes = await self._captures.unfinished_flushes(now + 2 * LEASE)
        mine = [flush for flush in flushes if flush.integration_id == integration_id]
        return mine + await self._age.under_way(integration_id)

    async def _add_up(
        self, integration_id: str, checked: Mapping[datetime, str | None], now: datetime
    ) -> None:
        for day, counts in (await self._age.sum_up(integration_id, self._over(now))).items():
            report_day(integration_id, day, counts)
        last = midnight(now - self._keep)
        old = {last - back * _DAY for back in range(_OLD_DAYS)} | {day for day in checked if day <= last}
        for day in old:
            # As long as something is wrong the rows are needed to tell what, and when it is mended.
            if checked.get(day) is None:
                await self._age.add_up(integration_id, day)

    async def _note(self, integration_id: str, where: str, wrong: str | None) -> None:
        now = self._clock()
        if wrong is None:
            await self._problems.settle(integration_id, where, now, None)
            return
        _log.error("unaccounted integration=%s where=%s: %s", integration_id, where, wrong)
        problem = Problem(integration_id, Reason.ENTRIES_UNACCOUNTED, where, wrong, now)
        await self._problems.report(problem)


def unaccounted(rows: Sequence[LedgerEntry], missed: Sequence[CaptureFile], now: datetime) -> str | None:
    """What is wrong with a day, for people; None if every entry is accounted for.

    Args:
        rows: its runs.
        missed: its files that are not done; those that are in none of the rows count.
        now: the present (UTC).
    """
    known = {row.run for row in rows}
    total = sum((row.counts for row in rows), Counts())
    unfinished = _unfinished(rows, now)
    nowhere = [file.path for file in missed if file.id not in known and now - file.written_at > _PATIENCE]
    found = []
    if total.missing:
        found.append(f"{total.missing} of {total.entries} entries are not accounted for")
    if unfinished:
        first = min(unfinished, key=lambda row: row.source)
        why = f" ({first.trouble})" if first.trouble else ""
        found.append(f"{len(unfinished)} files are not done, the first one {first.source or first.run}{why}")
    if nowhere:
        found.append(f"{len(nowhere)} files are not in the ledger, the first one {min(nowhere)}")
    return "; ".join(found) or None


def not_ended(flushes: Iterable[LedgerEntry], now: datetime) -> str | None:
    """What is wrong with flushes that were begun, for people; None if none takes too long."""
    unfinished = _unfinished(flushes, now)
    if not unfinished:
        return None
    first = min(unfinished, key=lambda flush: flush.day)
    since = f"{first.day:%Y-%m-%d %H:%M} UTC"
    return f"{len(unfinished)} flushes are not done, the first one {first.run}, since {since}"


def lost_while_parked(total: Counts, waiting: int) -> str | None:
    """Whether of the entries that were parked some neither left nor wait.

    Args:
        total: what became of all entries that ever came.
        waiting: how many entries wait.
    """
    lost = total.still_parked - waiting
    return f"{lost} entries were parked and neither left nor wait" if lost > 0 else None


def _unfinished(runs: Iterable[LedgerEntry], now: datetime) -> list[LedgerEntry]:
    return [run for run in runs if not run.done and now - (run.begun_at or now) > _PATIENCE]


def _may_have_taken_along(run: LedgerEntry, now: datetime) -> bool:
    """Whether a run that is not done may yet say that entries left in it, which do not wait any more.

    What left in it before it was to be handled once more stands in its counts.
    """
    return run.is_leased(now) or (run.begun_at is not None and not run.is_too_late(now))


def _troubled(problems: Iterable[Problem]) -> Iterator[datetime]:
    """The days with which something is wrong."""
    for problem in problems:
        if problem.reason is Reason.ENTRIES_UNACCOUNTED and problem.where not in (STILL_PARKED, NOT_FLUSHED):
            yield datetime.strptime(problem.where, _DATE).replace(tzinfo=UTC)
