"""Emitting what has waited long enough for the rest of its operation."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.capture.correlate import Plan, Run, correlate, replay
from shared.capture.handoff import HandOff
from shared.capture.ports import IntegrationDirectory, Owner
from shared.model.captures import CaptureState, Counts
from shared.model.ids import stable_hash
from shared.store.captures import CaptureStore, LeasedError, LedgerEntry
from shared.store.operations import OperationStore
from shared.store.tables import ConflictError, Stored

_log = logging.getLogger(__name__)

LIMIT = 1_000
"""Operations emitted, and removed, per integration and flush; the next flush takes the rest."""

_AT_ONCE = 8


class Flusher:
    """Emits operations that have waited long enough, and removes those kept long enough.

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
        self._handoff = handoff
        self._integrations = integrations
        self._wait = wait
        self._clock = clock

    async def flush(self) -> Counts:
        """Flush all integrations, a bounded amount of each.

        Raises:
            ExceptionGroup: some could not be flushed; the others were.
        """
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(owner: Owner) -> Counts:
            async with gate:
                counts = await self.flush_integration(owner)
                now = self._clock()
                await self._operations.remove_expired(owner.integration_id, now, LIMIT)
                return counts

        owners = [Owner(known.id, known.customer) for known in await self._integrations.list_all()]
        results = await asyncio.gather(*map(one, owners), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise BaseExceptionGroup("some integrations could not be flushed", failures)
        return sum((result for result in results if isinstance(result, Counts)), Counts())

    async def flush_integration(self, owner: Owner) -> Counts:
        """Emit what has waited long enough, and end flushes that did not come to their end."""
        now = self._clock()
        total = Counts()
        try:
            for begun in await self._captures.unfinished_flushes(owner.integration_id, now):
                leased = await self._captures.begin(begun, now)
                total += await self._resume(owner, leased)
            return total + await self._emit(owner, now)
        except (LeasedError, ConflictError):
            _log.info("another worker is flushing %s", owner.integration_id)
            return total

    async def _emit(self, owner: Owner, now: datetime) -> Counts:
        snapshot = await self._operations.waiting_too_long(owner.integration_id, now, LIMIT)
        if not snapshot.etags:
            return Counts()
        run = Run(_run_id(owner, now, snapshot.etags), now, self._wait)
        plan = await asyncio.to_thread(correlate, (), snapshot.known, run)
        entry = LedgerEntry(owner.integration_id, run.id, now, "", CaptureState.LEASED)
        leased = await self._captures.begin(entry, now)
        if leased.fact.done:
            return Counts()
        try:
            await self._operations.save(
                owner.integration_id, snapshot, [*plan.operations, *plan.rooms], run.now
            )
        except ConflictError:
            # What was kept before the conflict is ours; the rest is left to whoever changed it.
            return await self._resume(owner, leased)
        return await self._finish(owner, leased, plan)

    async def _resume(self, owner: Owner, leased: Stored[LedgerEntry]) -> Counts:
        """Hand on what a flush decided, as it stands in the table."""
        run = Run(leased.fact.run, leased.fact.day, self._wait)
        snapshot = await self._operations.left_in(owner.integration_id, run.id)
        plan = await asyncio.to_thread(replay, snapshot.known, run)
        return await self._finish(owner, leased, plan)

    async def _finish(self, owner: Owner, leased: Stored[LedgerEntry], plan: Plan) -> Counts:
        plan.counts.check()
        run = leased.fact.run
        handed = await self._handoff.condensed(owner, run, leased.fact.day, run, (plan.passed, plan.records))
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
        _log.info("flushed %s: %s", owner.integration_id, plan.counts)
        return plan.counts


def _run_id(owner: Owner, now: datetime, rows: Iterable[str]) -> str:
    """Names the flush by its moment and its operations."""
    return f"flush-{stable_hash(owner.integration_id, now.isoformat(), *sorted(rows))}"
