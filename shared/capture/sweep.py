"""Finding capture files that no event announced.

Event Grid delivers at least once, but events are dropped where a subscription is missing or was made too late
(learn.microsoft.com/azure/event-grid/delivery-and-retry).
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from shared.capture.events import NotACaptureFileError, capture_file_at
from shared.capture.ports import FileSink, HubList
from shared.model.captures import CaptureFile
from shared.model.hubs import HubAssignment
from shared.store.blobs import ContainerName
from shared.store.capture_blobs import CaptureBlobs
from shared.store.captures import LEASE, UNASSIGNED, CaptureStore

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
_HOUR: Final = timedelta(hours=1)


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

        Raises:
            ExceptionGroup: some hubs could not be looked through; the others were.
        """
        return await self.sweep_since(self._clock() - self._reach)

    async def sweep_since(self, since: datetime) -> int:
        """As `sweep`, for all files written since then.

        Files are left to their event for as long as a lease takes.

        Raises:
            ExceptionGroup: some hubs could not be looked through; the others were.
        """
        now = self._clock()
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(assignment: HubAssignment) -> int:
            async with gate:
                missed = await self.missed(assignment, since, now - LEASE)
                for file in missed:
                    await self._files.send(file.path)
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

    async def missed(self, assignment: HubAssignment, since: datetime, until: datetime) -> list[CaptureFile]:
        """The hub's files that were written in that time and are not done, nor being handled."""
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
        known = await self._known(assignment.integration_id, since, until)
        return [file for file in files if file.id not in known]

    async def _known(self, integration_id: str, since: datetime, until: datetime) -> set[str]:
        """The runs that are done or under way; files from before the hub was assigned belong to nobody."""
        days = {hour.date(): hour for hour in _hours(since, until)}.values()
        rows = await asyncio.gather(
            *(self._captures.day(who, day, since) for who in (integration_id, UNASSIGNED) for day in days)
        )
        now = self._clock()
        return {
            row.run
            for some in rows
            for row in some
            if row.done or (row.leased_until is not None and row.leased_until > now)
        }


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """Every hour that has a part in that time."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour <= until:
        yield hour
        hour += _HOUR
