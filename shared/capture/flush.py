"""Emitting what has waited long enough for the rest of its operation."""

import asyncio
import logging
from collections.abc import Callable, Iterable
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
from shared.store.ledger import LedgerEntry
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
        begun = [one for one in await self._captures.unfinished_flushes(now) if one.integration_id in owners]

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
        total = Counts()
        try:
            for entry in begun:
                leased = await self._captures.begin(entry, self._clock())
                run = Run(entry.run, entry.day, self._wait)
                async with asyncio.timeout(leased.fact.seconds_left(self._clock())):
                    plan = await self._correlator.left_in(owner.integration_id, run)
                    total += await self._finish(owner, leased, plan)
            buckets = await self._operations.needing_attention(owner.integration_id, now)
            if buckets:
                total += await self._emit(owner, now, buckets)
        except (LeasedError, ConflictError, ContendedError):
            _log.info("another worker is flushing %s", owner.integration_id)
        return total

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


def _run_id(owner: Owner, now: datetime, buckets: Iterable[int]) -> str:
    """Names the flush by its moment and its buckets."""
    return f"flush-{stable_hash(owner.integration_id, now.isoformat(), *map(str, buckets))}"
