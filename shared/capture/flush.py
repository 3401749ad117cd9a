"""Emitting what has waited long enough for the rest of its operation."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.capture.correlate import Plan, Run
from shared.capture.correlator import ContendedError, Correlator
from shared.capture.evidence import report
from shared.capture.handoff import HandOff
from shared.capture.ports import IntegrationDirectory, Owner
from shared.model.captures import CaptureState, Counts
from shared.model.ids import stable_hash
from shared.store.captures import CaptureStore, LeasedError
from shared.store.ledger import LEASE, LedgerEntry
from shared.store.operations import OperationStore
from shared.store.tables import ConflictError, Stored

_log = logging.getLogger(__name__)

_AT_ONCE = 8


class Flusher:
    """Emits operations that have waited long enough, and forgets those kept long enough.

    A flush is a run like a capture file's: it has a row in the ledger before it changes anything, so that
    a later one can end what it began.

    Args:
        captures: the ledger.
        operations: what waits.
        handoff: where everything goes.
        integrations: all of them.
        wait: how long an entry waits for the rest of its operation.
        clock: gives the present in UTC.
    """

    def __init__(
        self,
        *,
        captures: CaptureStore,
        operations: OperationStore,
        handoff: HandOff,
        integrations: IntegrationDirectory,
        wait: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._captures = captures
        self._operations = operations
        self._correlator = Correlator(operations)
        self._handoff = handoff
        self._integrations = integrations
        self._wait = wait
        self._clock = clock

    async def flush(self) -> Counts:
        """Flush all integrations, a bounded amount of each, and end flushes that did not come to their end.

        Raises:
            ExceptionGroup: some could not be flushed; the others were.
        """
        gate = asyncio.Semaphore(_AT_ONCE)
        now = self._clock()
        owners = {known.id: Owner(known.id, known.customer) for known in await self._integrations.list_all()}
        # Also those that somebody is at.
        begun = await self._captures.unfinished_flushes(now + 2 * LEASE)

        async def one(owner: Owner) -> Counts:
            mine = [entry for entry in begun if entry.integration_id == owner.integration_id]
            async with gate:
                return await self._flush(owner, now, mine)

        results = await asyncio.gather(*map(one, owners.values()), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise BaseExceptionGroup("some integrations could not be flushed", failures)
        return sum((result for result in results if isinstance(result, Counts)), Counts())

    async def _flush(self, owner: Owner, now: datetime, begun: Iterable[LedgerEntry]) -> Counts:
        """Flush one integration; what fails keeps nothing else from being tried.

        Raises:
            ExceptionGroup: some failed for another reason than that others did the same.
        """
        results: list[Counts | Exception] = []
        left: list[LedgerEntry] = []
        for entry in begun:
            if not entry.is_leased(now):
                results.append(await _tried(self._end(owner, entry)))
                if isinstance(results[-1], Counts):
                    continue
            left.append(entry)
        buckets = await self._operations.needing_attention(owner.integration_id, now)
        results += [await _tried(self._emit(owner, now, some)) for some in _apart(owner, buckets, left)]
        return _total(owner, results)

    async def _end(self, owner: Owner, entry: LedgerEntry) -> Counts:
        """End what another worker began."""
        leased = await self._captures.begin(entry, self._clock())
        run = Run(entry.run, entry.day, self._wait)
        async with asyncio.timeout(leased.fact.seconds_left(self._clock())):
            plan = await self._correlator.left_in(owner.integration_id, run)
            return await self._finish(owner, leased, plan)

    async def _emit(self, owner: Owner, now: datetime, buckets: list[int]) -> Counts:
        run = Run(_run_id(owner, now, buckets), now, self._wait)
        entry = LedgerEntry(
            integration_id=owner.integration_id,
            run=run.id,
            day=now,
            source="",
            state=CaptureState.LEASED,
            compression=self._handoff.compression,
        )
        leased = await self._captures.begin(entry, self._clock())
        if await self._captures.read(owner.integration_id, now, run.id) is not None:
            # Another worker saw the same at the same moment, and is done already.
            await self._captures.drop(leased)
            return Counts()
        async with asyncio.timeout(leased.fact.seconds_left(self._clock())):
            plan = await self._correlator.flush(owner.integration_id, run, buckets)
            return await self._finish(owner, leased, plan)

    async def _finish(self, owner: Owner, leased: Stored[LedgerEntry], plan: Plan) -> Counts:
        plan.counts.check()
        if plan.counts == Counts():
            # Another worker took everything along, or there was only something to be forgotten.
            await self._captures.drop(leased)
            return plan.counts
        run, left = leased.fact.run, (plan.passed, plan.records)
        handed = await self._handoff.condensed(
            owner, run, leased.fact.day, run, left, compression=leased.fact.compression
        )
        done = replace(
            leased.fact,
            state=CaptureState.DONE,
            leased_until=None,
            counts=plan.counts,
            output=handed.blob,
            first=handed.contents.first or "",
            last=handed.contents.last or "",
            finished_at=self._clock(),
        )
        await self._captures.finish(done, leased)
        report(done)
        return plan.counts


async def _tried(flush: Coroutine[None, None, Counts]) -> Counts | Exception:
    """What it comes to, or what stood in its way."""
    (result,) = await asyncio.gather(flush, return_exceptions=True)
    if isinstance(result, Counts | Exception):
        return result
    raise result


def _total(owner: Owner, results: Iterable[Counts | Exception]) -> Counts:
    """What flushes of an integration come to.

    Raises:
        ExceptionGroup: some failed for another reason than that others did the same.
    """
    total = Counts()
    failures = []
    for result in results:
        match result:
            case Counts():
                total += result
            case LeasedError() | ConflictError():
                _log.info("another worker is flushing %s", owner.integration_id)
            case ContendedError():
                _log.warning("a flush of %s could not be ended for now: %s", owner.integration_id, result)
            case _:
                failures.append(result)
    if failures:
        raise ExceptionGroup(f"some flushes of {owner.integration_id} failed", failures)
    return total


def _apart(owner: Owner, buckets: Collection[int], begun: Collection[LedgerEntry]) -> list[list[int]]:
    """Which buckets are flushed together, given the flushes that are not ended.

    If there are none, all of them. Otherwise each by itself, so that one that cannot be read does not hold up
    the others; and one whose own flush is not ended not at all, since another could not be ended either.
    """
    if not begun:
        return [[*buckets]] if buckets else []
    runs = {entry.run for entry in begun}
    busy = {bucket for entry in begun for bucket in buckets if _run_id(owner, entry.day, [bucket]) in runs}
    return [[bucket] for bucket in buckets if bucket not in busy]


def _run_id(owner: Owner, now: datetime, buckets: Iterable[int]) -> str:
    """Names the flush by its moment and its buckets."""
    return f"flush-{stable_hash(owner.integration_id, now.isoformat(), *map(str, buckets))}"
