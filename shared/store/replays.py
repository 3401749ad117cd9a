"""Whether a file of which something was set aside can be handled once more without harm, and from what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.model.blob_names import condensed_name, copy_name
from shared.model.captures import CaptureState
from shared.model.hubs import HubAssignment
from shared.store.blobs import BlobStore, ContainerName
from shared.store.captures import CaptureStore
from shared.store.hubs import HubDirectory
from shared.store.ledger import LEASE, UNASSIGNED, LedgerEntry

_SOON: Final = timedelta(hours=1)
"""Within this time a file that somebody asks for is handled, unless the app is down."""

_TOLD: Final = timedelta(minutes=1)
"""A file that is put back is announced by an event, and handled before that time in most cases."""

_AVRO: Final = "application/octet-stream"


class HinderedError(Exception):
    """A file cannot be handled once more; the text says why, and what an operator can do instead."""


@dataclass(frozen=True, slots=True)
class Span:
    """When a file may be handled once more, from now on.

    Attributes:
        after: until then it is left to others.
        within: from then on it is too late; None if it never is.
    """

    after: timedelta = timedelta()
    within: timedelta | None = None


class Replays:
    """Looks at files before they are handled once more.

    Args:
        blobs: brings files back.
        captures: the ledger.
        hubs: whose hub it is.
        kept: how long what came and left in a file is certain to be kept.
        clock: gives the present in UTC.
    """

    def __init__(
        self,
        *,
        blobs: BlobStore,
        captures: CaptureStore,
        hubs: HubDirectory,
        kept: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._captures = captures
        self._hubs = hubs
        self._kept = kept
        self._clock = clock

    async def prepare(self, entry: LedgerEntry) -> Span:
        """Make sure that a file can be handled once more, from its copy if it is gone.

        Args:
            entry: the file, as it was set aside.

        Returns:
            When it may be handled.

        Raises:
            HinderedError: it cannot be; nothing has changed.
        """
        namespace, hub, *_ = entry.source.split("/")
        assignment = await self._hubs.find(namespace, hub)
        if _is_stray(entry, assignment):
            raise HinderedError(
                f"The hub {namespace}/{hub} is not assigned any more to the customer whose file it is: "
                f"it would be taken for nobody's. {_instead(entry)}"
            )
        if assignment is not None and await self._is_handled(entry, assignment.integration_id):
            return Span()
        written = "" if assignment is None else await self._written(entry, assignment.customer)
        within: timedelta | None = None
        if entry.state is CaptureState.DONE or entry.handed_on or written:
            # Whenever it was handled, what came and left in it was kept from a later moment on.
            within = entry.day + self._kept - LEASE - self._clock()
            if within < _SOON:
                raise HinderedError(_too_late(entry, written, self._kept - LEASE - _SOON))
        return Span(_TOLD if await self._bring_back(entry) else timedelta(), within)

    async def _is_handled(self, entry: LedgerEntry, integration_id: str) -> bool:
        """Whether all of a file was handled since it was set aside, by whoever else heard of it."""
        known = await self._captures.read(integration_id, entry.day, entry.run)
        return known is not None and known.done and not known.counts.set_aside

    async def _written(self, entry: LedgerEntry, customer: str) -> str:
        """The condensed file that an earlier run wrote of a file, and a later one would replace."""
        begins = condensed_name(customer, entry.day, entry.run)
        return await self._blobs.first(ContainerName.CONDENSED, begins)

    async def _bring_back(self, entry: LedgerEntry) -> bool:
        """Put the copy where the file was, if that is gone; tells whether it was."""
        if await self._is_there(ContainerName.CAPTURE, entry.source):
            return False
        copy = copy_name(entry.aside)
        if not entry.aside or not await self._is_there(ContainerName.SET_ASIDE, copy):
            raise HinderedError(
                f"The capture file {entry.source} is gone, and no copy of it lies aside. {_instead(entry)}"
            )
        await self._blobs.copy((ContainerName.SET_ASIDE, copy), (ContainerName.CAPTURE, entry.source), _AVRO)
        return True

    async def _is_there(self, container: ContainerName, name: str) -> bool:
        return await self._blobs.first(container, name) == name


def _is_stray(entry: LedgerEntry, assignment: HubAssignment | None) -> bool:
    """Whether a customer's file would be taken for nobody's; what is nobody's may find its customer."""
    if entry.integration_id == UNASSIGNED:
        return False
    if assignment is None or assignment.integration_id != entry.integration_id:
        return True
    return entry.day < assignment.assigned_at


def _too_late(entry: LedgerEntry, written: str, within: timedelta) -> str:
    """Why a file of which something was handed on is not handled again."""
    handed = f" (condensed/{written})" if written else ""
    hours = within // timedelta(hours=1)
    return (
        f"Of this file something was handed on{handed}, and it was written more than {hours} hours ago: "
        "what belongs to its entries may have been forgotten since, so that handling it again could put "
        f"less in place of what was handed on. {_instead(entry)}"
    )


def _instead(entry: LedgerEntry) -> str:
    """What an operator can do."""
    if not entry.aside:
        return "Look into it by hand, then discard it."
    return f"What could not be handled is named in set-aside/{entry.aside}: look into that, then discard it."
