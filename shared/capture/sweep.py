"""Finding capture files that no event announced.

Event Grid delivers at least once, but events are dropped where a subscription is missing or was made too late
(learn.microsoft.com/azure/event-grid/delivery-and-retry).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from shared.capture.events import NotACaptureFileError, capture_file_at
from shared.capture.ports import FileSink, HubList
from shared.model.captures import CaptureFile
from shared.model.hubs import HubAssignment
from shared.store.blobs import ContainerName
from shared.store.capture_blobs import CaptureBlobs
from shared.store.captures import CaptureStore
from shared.store.ledger import LEASE, UNASSIGNED, LedgerEntry
from shared.store.ledger_age import DAY

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_LEAST: Final = timedelta(seconds=1)
"""Capture names files by the second."""


class Sweep:
    """Compares what lies in the container with the ledger.

    Args:
        blobs: what lies there.
        captures: the ledger.
        hubs: whose files are looked for.
        files: takes those that are to be handled.
        reach: how far back is looked.
        clock: gives the present in UTC.
    """

    def __init__(
        self,
        *,
        blobs: CaptureBlobs,
        captures: CaptureStore,
        hubs: HubList,
        files: FileSink,
        reach: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._captures = captures
        self._hubs = hubs
        self._files = files
        self._reach = reach
        self._clock = clock

    async def sweep(self) -> int:
        """Send every recent file that is not done to be handled; tells how many there were.

        Files are left to their event for as long as a lease takes.

        Raises:
            ExceptionGroup: some hubs could not be looked through; the others were.
        """
        now = self._clock()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(assignment: HubAssignment) -> int:
            async with gate:
                missed = await self._missed(assignment, now - self._reach, now - LEASE)
                await self.send(file.path for file in missed)
                return len(missed)

        hubs = [stored.fact for stored in await self._hubs.list()]
        results = await asyncio.gather(*map(one, hubs), return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        found = sum(result for result in results if isinstance(result, int))
        if found:
            _log.warning("%d capture files were not handled", found)
        if failures:
            raise BaseExceptionGroup("some hubs could not be swept", failures)
        return found

    async def assigned(self) -> dict[str, list[HubAssignment]]:
        """The hubs by the integration whose files they hold."""
        found: defaultdict[str, list[HubAssignment]] = defaultdict(list)
        for stored in await self._hubs.list():
            found[stored.fact.integration_id].append(stored.fact)
        return found

    async def missed_on(self, hubs: Iterable[HubAssignment], day: datetime) -> list[CaptureFile]:
        """The files of these hubs that were written on a day and are not done, nor being handled.

        Of days before yesterday not those that are older than the hub's assignment: if somebody had a hub of
        that name before, they are in the ledger under a customer who may be gone.

        Args:
            hubs: where is looked.
            day: its first moment (UTC).
        """
        now = self._clock()
        until = min(day + _DAY - _LEAST, now - LEASE)
        found = []
        for hub in hubs:
            least = min(hub.assigned_at, midnight(now) - _DAY)
            if until >= least:
                missed = await self._missed(hub, day, until)
                found += [file for file in missed if file.written_at >= least]
        return found

    async def send(self, paths: Iterable[str]) -> None:
        """Send the capture files of these blob names to be handled."""
        for path in paths:
            await self._files.send(path)

    async def _missed(self, assignment: HubAssignment, since: datetime, until: datetime) -> list[CaptureFile]:
        files = []
        async for path in self._blobs.paths(assignment.namespace, assignment.hub, _hours(since, until)):
            try:
                file = capture_file_at(path, ContainerName.CAPTURE)
            except NotACaptureFileError:
                continue
            if since <= file.written_at <= until:
                files.append(file)
        if not files:
            return []
        rows = await self._rows(assignment.integration_id, since, until)
        now = self._clock()
        known = {row.run for row in rows if row.done or row.is_leased(now)}
        # Where a day has become one row, nothing tells which files it stands for.
        added_up = {row.day.date() for row in rows if row.run == DAY}
        return [file for file in files if file.id not in known and file.written_at.date() not in added_up]

    async def _rows(self, integration_id: str, since: datetime, until: datetime) -> list[LedgerEntry]:
        """The runs of that time; files from before the hub was assigned belong to nobody."""
        days = {hour.date(): hour for hour in _hours(since, until)}.values()
        rows = await asyncio.gather(
            *(self._captures.day(who, day, since) for who in (integration_id, UNASSIGNED) for day in days)
        )
        return [row for some in rows for row in some]


def midnight(moment: datetime) -> datetime:
    """The first moment of its day."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Every hour that has a part in that time."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        yield hour
        hour += _HOUR
