"""One capture file, from Event Grid's news of it to the message that its condensed file is there."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.correlate import Plan, Run, correlate
from shared.capture.decode import entries_of_capture
from shared.capture.events import NotACaptureFileError, capture_file
from shared.capture.flush import Flusher
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
from shared.store.tables import ConflictError

_log = logging.getLogger(__name__)

_ATTEMPTS = 10
"""How often a run decides again after losing a race, before Event Grid is asked to come again."""

_BROKEN = frozenset({AsideReason.BROKEN_FILE, AsideReason.BROKEN_BLOCK, AsideReason.BROKEN_EVENT})


class ContendedError(Exception):
    """Too many others changed the same operations; deliver the event again later."""


class CaptureHandler:
    """Handles capture files.

    Args:
        blobs: where they are.
        captures: the ledger.
        operations: what waits.
        handoff: where everything goes.
        flusher: emits what has waited long enough, after each file.
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
        flusher: Flusher,
        repairs: Repairs,
        hubs: HubDirectory,
        problems: ProblemSink,
        wait: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._captures = captures
        self._operations = operations
        self._handoff = handoff
        self._flusher = flusher
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
        """
        try:
            file = capture_file(subject, data, ContainerName.CAPTURE)
        except NotACaptureFileError as error:
            _log.warning("ignored an event: %s", error)
            return Counts()
        assignment = await self._hubs.find(file.namespace, file.hub)
        if assignment is None:
            return await self._in_ledger(file, None)
        owner = Owner(assignment.integration_id, assignment.customer)
        counts = await self._in_ledger(file, owner)
        await self._flusher.flush_integration(owner)
        return counts

    async def _in_ledger(self, file: CaptureFile, owner: Owner | None) -> Counts:
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
            if owner is None:
                done = await self._unassigned(file, leased.fact)
            else:
                done = await self._condense(file, owner, leased.fact)
            done.counts.check()
            await self._captures.finish(replace(done, leased_until=None, finished_at=self._clock()), leased)
        except BaseException:
            await self._captures.release(leased)
            raise
        _log.info("handled %s: %s", file.path, done.counts)
        return done.counts

    async def _condense(self, file: CaptureFile, owner: Owner, entry: LedgerEntry) -> LedgerEntry:
        data = await self._blobs.read(file.container, file.path)
        sifted = await asyncio.to_thread(sift, entries_of_capture(data, file.path))
        plan = await self._correlate(file, owner, sifted)
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

    async def _correlate(self, file: CaptureFile, owner: Owner, sifted: Sifted) -> Plan:
        """Decide, and keep what was decided; again if somebody else was faster."""
        run = Run(file.id, self._clock(), self._wait)
        keys = {entry.key for entry in sifted.administrative}
        for _ in range(_ATTEMPTS):
            try:
                snapshot = await self._operations.load(owner.integration_id, keys)
                plan = await asyncio.to_thread(correlate, sifted.administrative, snapshot.known, run)
                await self._operations.save(
                    owner.integration_id, snapshot, [*plan.operations, *plan.rooms], run.now
                )
            except ConflictError:
                continue
            return plan
        raise ContendedError(f"{file.path} lost {_ATTEMPTS} races for its operations")

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

    async def _unassigned(self, file: CaptureFile, entry: LedgerEntry) -> LedgerEntry:
        """Set a whole file aside; it goes to nobody."""
        data = await self._blobs.read(file.container, file.path)
        message = f"the hub {file.namespace}/{file.hub} is assigned to no customer"
        aside = Aside(AsideReason.UNKNOWN_HUB, message, Position(file.path), data, whole_file=True)
        name = await self._handoff.aside(UNASSIGNED, file.id, file.written_at, [aside])
        await self._problems.report(
            Problem(PROVIDER, Reason.UNKNOWN_HUB, f"{file.namespace}/{file.hub}", name, self._clock())
        )
        counts = Counts(entries=1, set_aside=1)
        return replace(entry, state=CaptureState.SET_ASIDE, counts=counts, aside=name)
