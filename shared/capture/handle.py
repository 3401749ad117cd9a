"""One capture file, from Event Grid's news of it to the message that its condensed file is there."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.correlate import Run
from shared.capture.correlator import Correlator
from shared.capture.events import NotACaptureFileError, capture_file
from shared.capture.evidence import report
from shared.capture.handoff import HandOff
from shared.capture.parts import PART, Parts
from shared.capture.ports import Owner, ProblemSink
from shared.capture.repair import Repairs
from shared.capture.sift import WINDOW, Sifted
from shared.model.captures import CaptureFile, CaptureState, Counts
from shared.model.problem import PROVIDER, Problem
from shared.model.reasons import Reason
from shared.store.blobs import BlobStore, ContainerName
from shared.store.captures import CaptureStore
from shared.store.hubs import HubDirectory
from shared.store.ledger import LEASE, UNASSIGNED, LedgerEntry
from shared.store.operations import OperationStore

_log = logging.getLogger(__name__)

_LEAST_ATTEMPTS = 5
"""A file that was tried more often, and once after `PATIENCE`, is set aside, so that somebody looks at it."""

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
        part_bytes: how much of a file is held in memory until it leaves.
        duplicates_window: how many entries that pass through are remembered, so that repeated ones are found.
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
        part_bytes: int = PART,
        duplicates_window: int = WINDOW,
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
        self._part_bytes = part_bytes
        self._duplicates_window = duplicates_window

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
            part_bytes=self._part_bytes,
            duplicates_window=self._duplicates_window,
            compression=self._handoff.compression,
        )
        leased = await self._captures.begin(entry, self._clock())
        if leased.fact.done:
            return leased.fact.counts
        try:
            async with asyncio.timeout(leased.fact.seconds_left(self._clock())):
                done = await self._handled(file, owner, stray, leased.fact)
                done = replace(done, leased_until=None, finished_at=self._clock())
                await self._captures.finish(done, leased)
        except BaseException as error:
            await self._captures.release(leased, described(error))
            raise
        if leased.fact.attempts > 1 and done.state is CaptureState.DONE:
            lasting = Reason.CORRUPT_CAPTURE_FILE if done.aside else None
            await self._problems.settle(entry.integration_id, file.path, self._clock(), lasting)
        report(done)
        return done.counts

    async def _handled(
        self, file: CaptureFile, owner: Owner | None, stray: str, entry: LedgerEntry
    ) -> LedgerEntry:
        if owner is None:
            return await self._unassigned(file, entry, stray)
        is_hopeless = entry.attempts > _LEAST_ATTEMPTS and entry.late > 1
        if not is_hopeless and not entry.is_too_late(self._clock()):
            return await self._condense(file, owner, entry)
        if entry.handed_on:
            # It was to be handled once more: what was handed on before stays, and so does what lies aside.
            return replace(entry, state=CaptureState(entry.before))
        return await self._give_up(file, owner, entry)

    async def _condense(self, file: CaptureFile, owner: Owner, entry: LedgerEntry) -> LedgerEntry:
        """Handle the file part by part; each is a run of its own, the same when the file is handled again."""
        leaving = self._handoff.begin(owner, file.id, file.written_at, file.path, entry.compression)
        kept = self._handoff.begin_aside(owner.customer, file.id, file.written_at)
        counts = Counts()
        reasons: Counter[AsideReason] = Counter()
        unreadable = ""
        number = 0
        # The clocks of those who wrote the file and handled it may differ.
        since = file.written_at - LEASE if entry.attempts > 1 else None
        async for part in self._parts(file, entry):
            run = Run(f"{file.id}-{number}", self._clock(), self._wait, since)
            number += 1
            plan = await self._correlator.decide(owner.integration_id, run, part.administrative, part.whole)
            await leaving.add([*part.passed, *plan.passed], plan.records, plan.whole)
            await kept.add(part.asides, file.container)
            # Before the ledger says done: whoever dies in between, or finds the queue failing, leaves a file
            # that is handled again, while a repair that is asked for twice finds nothing to do.
            arrived = chain(part.administrative, part.passed)
            await self._repairs.send(owner.integration_id, arrived, part.whole)
            counts += part.counts + plan.counts
            reasons.update(aside.reason for aside in part.asides)
            unreadable = next((aside.message for aside in part.asides if aside.whole_file), unreadable)
        counts.check()  # Before anybody hears of it.
        handed = await leaving.close()
        aside = await kept.close()
        if reasons:
            await self._report_aside(file, owner, reasons, aside)
        return replace(
            entry,
            state=CaptureState.SET_ASIDE if unreadable else CaptureState.DONE,
            counts=counts,
            output=handed.blob,
            aside=aside,
            first=handed.contents.first or "",
            last=handed.contents.last or "",
            trouble=unreadable,
        )

    async def _parts(self, file: CaptureFile, entry: LedgerEntry) -> AsyncIterator[Sifted]:
        """What is in the file, as it comes; cut as the first worker cut it, whatever the settings are now.

        A part's texts are gone when the next one is asked for.
        """
        parts = await asyncio.to_thread(
            Parts,
            file.path,
            entry.part_bytes or self._part_bytes,
            entry.duplicates_window or self._duplicates_window,
        )
        async for data in self._blobs.ranges(file.container, file.path):
            async for part in _one_by_one(parts.feed(data)):
                yield part
        async for part in _one_by_one(_ending(parts)):
            yield part

    async def _report_aside(
        self, file: CaptureFile, owner: Owner, reasons: Counter[AsideReason], name: str
    ) -> None:
        broken = not _BROKEN.isdisjoint(reasons)
        await self._problems.report(
            Problem(
                integration_id=owner.integration_id,
                reason=Reason.CORRUPT_CAPTURE_FILE if broken else Reason.ENTRIES_SET_ASIDE,
                where=file.path if broken else f"{file.namespace}/{file.hub}",
                detail=f"{reasons.total()} set aside in {name}",
                since=self._clock(),
            )
        )

    async def _unassigned(self, file: CaptureFile, entry: LedgerEntry, why: str) -> LedgerEntry:
        """Set a whole file aside; it goes to nobody."""
        name = await self._put_aside(UNASSIGNED, file, AsideReason.UNKNOWN_HUB, why)
        await self._problems.report(
            Problem(PROVIDER, Reason.UNKNOWN_HUB, f"{file.namespace}/{file.hub}", name, self._clock())
        )
        counts = Counts(entries=1, set_aside=1)
        return replace(entry, state=CaptureState.SET_ASIDE, counts=counts, aside=name, trouble=why)

    async def _give_up(self, file: CaptureFile, owner: Owner, entry: LedgerEntry) -> LedgerEntry:
        """Set a file aside that keeps failing, and have somebody look at it.

        What had waited and left in it came from other files, so that it is handed on. What a replay hands on
        takes its place; if all of the file was handed on, by somebody who died right after that, it stands
        beside that.
        """
        begins = f"{file.id}-"
        plan = await self._correlator.given_up(
            owner.integration_id, lambda run: run.startswith(begins), file.written_at - LEASE
        )
        plan.counts.check()
        left, compression = (plan.passed, plan.records), entry.compression
        run, moment = file.id, file.written_at
        if await self._handoff.is_taken(owner, run, moment, left, compression=compression):
            run = f"{file.id}-taken-along"
        handed = await self._handoff.condensed(owner, run, moment, file.path, left, compression=compression)
        detail = f"failed {entry.attempts - 1} times, at last with {entry.trouble or 'the end of the worker'}"
        aside = await self._put_aside(owner.customer, file, AsideReason.HANDLING_FAILED, detail)
        await self._problems.report(
            Problem(entry.integration_id, Reason.CAPTURE_FILE_FAILED, file.path, detail, self._clock())
        )
        _log.error("set aside %s: %s", file.path, detail)
        return replace(
            entry,
            state=CaptureState.SET_ASIDE,
            counts=plan.counts + Counts(entries=1, set_aside=1),
            output=handed.blob,
            aside=aside,
            first=handed.contents.first or "",
            last=handed.contents.last or "",
            trouble=detail,
        )

    async def _put_aside(self, folder: str, file: CaptureFile, reason: AsideReason, why: str) -> str:
        """Copy a whole file, with a list that says why; gives the list's name, none if it is gone."""
        kept = self._handoff.begin_aside(folder, file.id, file.written_at)
        try:
            aside = Aside(reason, why, Position(file.path), b"", whole_file=True)
            await kept.add([aside], file.container)
        except ResourceNotFoundError:
            return ""
        return await kept.close()


async def _one_by_one(parts: Iterator[Sifted]) -> AsyncIterator[Sifted]:
    """The parts that hold anything; each is cut in a thread when it is asked for."""
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        if part.whole or part.administrative or part.counts.entries:
            yield part


def _ending(parts: Parts) -> Iterator[Sifted]:
    """What leaves when the file has ended."""
    yield from parts.feed(b"", last=True)
    yield parts.rest()


def described(error: BaseException) -> str:
    """What went wrong, without anything that may come from the file."""
    code = getattr(error, "error_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
