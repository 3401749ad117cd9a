"""One capture file, from Event Grid's news of it to the message that its condensed file is there."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.correlate import Run
from shared.capture.correlator import Correlator
from shared.capture.decode import entries_of_capture
from shared.capture.events import NotACaptureFileError, capture_file
from shared.capture.evidence import report
from shared.capture.handoff import HandOff
from shared.capture.ports import HubDirectory, Owner, ProblemSink
from shared.capture.repair import Repairs
from shared.capture.sift import Sifted, sift
from shared.model.captures import CaptureFile, CaptureState, Counts
from shared.model.problem import PROVIDER, Problem
from shared.model.reasons import Reason
from shared.store.blobs import BlobStore, ContainerName
from shared.store.captures import UNASSIGNED, CaptureStore, LedgerEntry
from shared.store.operations import OperationStore

_log = logging.getLogger(__name__)

_LEAST_ATTEMPTS = 5
_GIVE_UP = timedelta(hours=6)
"""A file that was tried so often, for so long, is set aside, so that somebody looks at it."""

_BROKEN = frozenset({AsideReason.BROKEN_FILE, AsideReason.BROKEN_BLOCK, AsideReason.BROKEN_EVENT})


class CaptureHandler:
    """Handles capture files.

    Args:
        blobs: where they are.
        captures: the ledger.
        operations: what waits.
        handoff: where everything goes.
        repairs: has what somebody changed in Azure looked at.
        hubs: whose hub it is.
        problems: where trouble is taken down.
        wait: how long an entry waits for the rest of its operation.
        clock: gives the present in UTC.
    """

    def __init__(
        self,
        *,
        blobs: BlobStore,
        captures: CaptureStore,
        operations: OperationStore,
        handoff: HandOff,
        repairs: Repairs,
        hubs: HubDirectory,
        problems: ProblemSink,
        wait: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._captures = captures
        self._correlator = Correlator(operations)
        self._handoff = handoff
        self._repairs = repairs
        self._hubs = hubs
        self._problems = problems
        self._wait = wait
        self._clock = clock

    async def handle(self, subject: str, data: Mapping[str, Any]) -> Counts:
        """Handle the capture file that an event is about, and say what became of its entries.

        A file that was handled before is answered at once with what became of them then. Events about
        anything else are ignored.

        Raises:
            LeasedError: somebody else is handling it.
            ContendedError: too many others changed the same operations.
            TimeoutError: it takes longer than the lease.
        """
        try:
            file = capture_file(subject, data, ContainerName.CAPTURE)
        except NotACaptureFileError as error:
            _log.warning("ignored an event: %s", error)
            return Counts()
        return await self.handle_file(file)

    async def handle_file(self, file: CaptureFile) -> Counts:
        """As `handle`, for a file that nobody announced."""
        assignment = await self._hubs.find(file.namespace, file.hub)
        if assignment is None:
            stray = f"the hub {file.namespace}/{file.hub} is assigned to no customer"
        elif file.written_at < assignment.assigned_at:
            # Of whoever had a hub of this name before; an offboarded customer's slug may be registered anew.
            stray = f"it was written before {file.namespace}/{file.hub} was assigned to its customer"
        else:
            return await self._in_ledger(file, Owner(assignment.integration_id, assignment.customer))
        return await self._in_ledger(file, None, stray)

    async def _in_ledger(self, file: CaptureFile, owner: Owner | None, stray: str = "") -> Counts:
        entry = LedgerEntry(
            integration_id=UNASSIGNED if owner is None else owner.integration_id,
            run=file.id,
            day=file.written_at,
            source=file.path,
            state=CaptureState.LEASED,
        )
        leased = await self._captures.begin(entry, self._clock())
        if leased.fact.done:
            return leased.fact.counts
        try:
            async with asyncio.timeout(leased.fact.seconds_left(self._clock())):
                done = await self._handled(file, owner, stray, leased.fact)
                done.counts.check()
                done = replace(done, leased_until=None, finished_at=self._clock())
                await self._captures.finish(done, leased)
        except BaseException as error:
            await self._captures.release(leased, described(error))
            raise
        if leased.fact.attempts > 1 and done.state is CaptureState.DONE:
            await self._problems.settle(entry.integration_id, file.path, self._clock(), None)
        report(done)
        return done.counts

    async def _handled(
        self, file: CaptureFile, owner: Owner | None, stray: str, entry: LedgerEntry
    ) -> LedgerEntry:
        if owner is None:
            return await self._unassigned(file, entry, stray)
        begun = entry.begun_at or self._clock()
        if entry.attempts > _LEAST_ATTEMPTS and self._clock() - begun >= _GIVE_UP:
            return await self._give_up(file, entry)
        return await self._condense(file, owner, entry)

    async def _condense(self, file: CaptureFile, owner: Owner, entry: LedgerEntry) -> LedgerEntry:
        data = await self._blobs.read(file.container, file.path)
        sifted = await asyncio.to_thread(sift, entries_of_capture(data, file.path))
        run = Run(file.id, self._clock(), self._wait)
        plan = await self._correlator.decide(
            owner.integration_id, run, sifted.administrative, again=entry.attempts > 1
        )
        handed = await self._handoff.condensed(
            owner, file.id, file.written_at, file.path, ([*sifted.passed, *plan.passed], plan.records)
        )
        aside = await self._set_aside(file, owner, sifted) if sifted.asides else ""
        # Before the ledger says done: whoever dies in between, or finds the queue failing, leaves a file that
        # is handled again, while a repair that is asked for twice finds nothing to do.
        await self._repairs.send(owner.integration_id, chain(sifted.administrative, sifted.passed))
        whole = any(one.whole_file for one in sifted.asides)
        return replace(
            entry,
            state=CaptureState.SET_ASIDE if whole else CaptureState.DONE,
            counts=sifted.counts + plan.counts,
            output=handed.blob,
            aside=aside,
            first=handed.contents.first or "",
            last=handed.contents.last or "",
        )

    async def _set_aside(self, file: CaptureFile, owner: Owner, sifted: Sifted) -> str:
        name = await self._handoff.aside(owner.customer, file.id, file.written_at, sifted.asides)
        broken = any(aside.reason in _BROKEN for aside in sifted.asides)
        await self._problems.report(
            Problem(
                integration_id=owner.integration_id,
                reason=Reason.CORRUPT_CAPTURE_FILE if broken else Reason.ENTRIES_SET_ASIDE,
                where=file.path if broken else f"{file.namespace}/{file.hub}",
                detail=f"{len(sifted.asides)} set aside in {name}",
                since=self._clock(),
            )
        )
        return name

    async def _unassigned(self, file: CaptureFile, entry: LedgerEntry, why: str) -> LedgerEntry:
        """Set a whole file aside; it goes to nobody."""
        data = await self._blobs.read(file.container, file.path)
        aside = Aside(AsideReason.UNKNOWN_HUB, why, Position(file.path), data, whole_file=True)
        name = await self._handoff.aside(UNASSIGNED, file.id, file.written_at, [aside])
        await self._problems.report(
            Problem(PROVIDER, Reason.UNKNOWN_HUB, f"{file.namespace}/{file.hub}", name, self._clock())
        )
        counts = Counts(entries=1, set_aside=1)
        return replace(entry, state=CaptureState.SET_ASIDE, counts=counts, aside=name, trouble=why)

    async def _give_up(self, file: CaptureFile, entry: LedgerEntry) -> LedgerEntry:
        """Leave a file that keeps failing where it is, and have somebody look at it."""
        detail = f"failed {entry.attempts - 1} times, at last with {entry.trouble or 'the end of the worker'}"
        await self._problems.report(
            Problem(entry.integration_id, Reason.CAPTURE_FILE_FAILED, file.path, detail, self._clock())
        )
        _log.error("set aside %s: %s", file.path, detail)
        counts = Counts(entries=1, set_aside=1)
        return replace(entry, state=CaptureState.SET_ASIDE, counts=counts, trouble=detail)


def described(error: BaseException) -> str:
    """What went wrong, without anything that may come from the file."""
    code = getattr(error, "error_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
