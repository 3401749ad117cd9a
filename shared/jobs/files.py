"""The queue of capture files that no event announced, or that somebody wants to have handled once more."""

from datetime import timedelta
from typing import Final

import msgspec

from shared.jobs.message import MalformedMessageError
from shared.store.storage import Storage

FILE_QUEUE: Final = "capture-files"
"""Name of the queue."""

_VERSION: Final = 1


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    path: str


class FileQueue:
    """Sends capture files."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def send(self, path: str, after: timedelta = timedelta(), within: timedelta | None = None) -> None:
        """Have the capture file of that blob name handled.

        Args:
            path: the blob name.
            after: until then nobody sees the message.
            within: from then on the message is gone, if nobody has read it; None: after a week.
        """
        queue = await self._storage.queue(FILE_QUEUE)
        await queue.send_message(
            msgspec.json.encode(_Message(_VERSION, path)).decode(),
            visibility_timeout=int(after.total_seconds()),
            time_to_live=None if within is None else int(within.total_seconds()),
        )


def path_of(text: bytes) -> str:
    """The blob name in a message.

    Raises:
        MalformedMessageError: it is no message of ours.
    """
    try:
        message = msgspec.json.decode(text, type=_Message)
    except msgspec.DecodeError as error:
        raise MalformedMessageError("not a message about a capture file") from error
    if message.version != _VERSION:
        raise MalformedMessageError(f"version {message.version} is not known")
    return message.path
