"""When timers ran last, kept in the host's storage so that a restarted host knows what it missed.

One blob per timer, `timers/{host}/Host.Functions.{function}/status` in the container
`azure-webjobs-hosts`, with the fields Last, Next and LastUpdated (StorageScheduleMonitor of
azure-webjobs-sdk-extensions).
"""

import contextlib
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

_CONTAINER = "azure-webjobs-hosts"
_NEVER = datetime.min.replace(tzinfo=UTC)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TimerStatus:
    """What is remembered of a timer; all in UTC.

    Attributes:
        last: start of its last run, None before the first.
        following: the moment after that at which it was due again.
        updated: when this was written.
    """

    last: datetime | None
    following: datetime
    updated: datetime

    @property
    def base(self) -> datetime:
        """From when on to look for the next due moment."""
        return self.last or self.updated

    def as_json(self) -> dict[str, str]:
        """The fields as Azure names them."""
        return {
            "Last": (self.last or _NEVER).isoformat(),
            "Next": self.following.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


def parse_status(document: dict[str, Any]) -> TimerStatus:
    """The reverse of `as_json`.

    Raises:
        ValueError, KeyError: not such a document.
    """
    last = _moment(document["Last"])
    return TimerStatus(
        last=None if last <= _NEVER else last,
        following=_moment(document["Next"]),
        updated=_moment(document["LastUpdated"]),
    )


class TimerStatusStore:
    """The statuses of one app's timers. Trouble with storage is logged and costs only the memory.

    Args:
        service: the storage account of the host.
        host_id: sets apps that share the account apart.
    """

    def __init__(self, service: BlobServiceClient, host_id: str) -> None:
        self._container = service.get_container_client(_CONTAINER)
        self._host_id = host_id

    async def read(self, function: str) -> TimerStatus | None:
        """What is remembered of a timer; None if nothing is."""
        try:
            blob = await self._container.download_blob(self._name(function))
            return parse_status(json.loads(await blob.readall()))
        except ResourceNotFoundError:
            return None
        except (AzureError, ValueError, KeyError) as error:
            _logger.warning("timer status not read function=%s reason=%s", function, type(error).__name__)
            return None

    async def write(self, function: str, status: TimerStatus) -> None:
        """Remember a timer's status."""
        data = json.dumps(status.as_json())
        try:
            with contextlib.suppress(ResourceExistsError):
                await self._container.create_container()
            await self._container.upload_blob(self._name(function), data, overwrite=True)
        except AzureError as error:
            _logger.warning("timer status not kept function=%s reason=%s", function, type(error).__name__)

    def _name(self, function: str) -> str:
        return f"timers/{self._host_id}/Host.Functions.{function}/status"


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
