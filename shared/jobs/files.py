"""The queue of capture files that no event announced, or that somebody wants to have handled once more."""

from datetime import timedelta
from typing import Annotated, Final

import msgspec

from shared.jobs.message import MalformedMessageError
from shared.store.storage import Storage

FILE_QUEUE: Final = "capture-files"
"""Name of the queue."""

_VERSION: Final = 1


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message: a capture file that is to be handled.

    Attributes:
        version: of the message.
        path: the blob name.
        attempt: how often it came back because there was no time for it.
    """

    version: int
    path: str
    attempt: Annotated[int, msgspec.Meta(ge=0)] = 0


class FileQueue:
    """Sends capture files."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def send(
        self,
        path: str,
        after: timedelta = timedelta(),
        within: timedelta | None = None,
        *,
        attempt: int = 0,
    ) -> None:
        """Have the capture file of that blob name handled.

        Args:
            path: the blob name.
            after: until then nobody sees the message.
            within: from then on the message is gone, if nobody has read it; None: after a week.
            attempt: how often it came back because there was no time for it.
        """
        queue = await self._storage.queue(FILE_QUEUE)
        await queue.send_message(
            msgspec.json.encode(Wanted(_VERSION, path, attempt)).decode(),
            visibility_timeout=int(after.total_seconds()),
            time_to_live=None if within is None else int(within.total_seconds()),
        )


def wanted_in(text: bytes) -> Wanted:
    """What a message says.

    Raises:
        MalformedMessageError: it is no message of ours.
    """
    try:
        wanted = msgspec.json.decode(text, type=Wanted)
    except msgspec.DecodeError as error:
        raise MalformedMessageError("not a message about a capture file") from error
    if wanted.version != _VERSION:
        raise MalformedMessageError(f"version {wanted.version} is not known")
    return wanted
