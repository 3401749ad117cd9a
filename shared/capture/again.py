"""Capture files that no event announced, or that somebody wants to have handled once more."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from azure.core.exceptions import AzureError

from shared.capture.correlator import ContendedError
from shared.capture.events import NotACaptureFileError, capture_file_at
from shared.capture.handle import CaptureHandler, described
from shared.jobs.busy import is_passing, pause
from shared.jobs.files import FileQueue, wanted_in
from shared.jobs.message import MalformedMessageError
from shared.jobs.poison import MAX_DEQUEUE_COUNT
from shared.store.blobs import ContainerName
from shared.store.captures import LeasedError
from shared.store.set_aside import SetAsideStore

_log = logging.getLogger(__name__)

_COMES_BACK: Final = 8
"""How often a file comes back for which there is no time: over twenty minutes, if nobody says how long."""


class Again:
    """Handles files that come by the queue.

    Args:
        handler: handles them.
        aside: what lies aside, until it could be handled.
        files: takes those for which there is no time.
    """

    def __init__(self, handler: CaptureHandler, aside: SetAsideStore, files: FileQueue) -> None:
        self._handler = handler
        self._aside = aside
        self._files = files

    async def run(self, text: bytes, delivery: int = 1) -> None:
        """Handle the file that a message names.

        Where there is no time for it, or others are at it, it comes back later. What fails otherwise goes on
        to the Functions host, which delivers the message again. After the last time the file is in the list
        of what lies aside, or the audit shows it and sends it once more: messages in the poison queue would
        only repeat that.

        Args:
            text: the message.
            delivery: how often it has been delivered, this time included.

        Raises:
            Exception: the file was not handled, and the message is to come again.
        """
        try:
            wanted = wanted_in(text)
            file = capture_file_at(wanted.path, ContainerName.CAPTURE)
        except (MalformedMessageError, NotACaptureFileError) as error:
            _log.error("ignored a message: %s", error)
            return
        (done,) = await asyncio.gather(self._handler.handle_file(file), return_exceptions=True)
        if isinstance(done, Exception) and _is_busy(done) and wanted.attempt < _COMES_BACK:
            seconds = pause(done, wanted.attempt, file.id)
            _log.warning("%s, again in %.0f s %s", described(done), seconds, file.path)
            await self._files.send(file.path, timedelta(seconds=seconds), attempt=wanted.attempt + 1)
        elif isinstance(done, BaseException):
            _log.warning("failed again %s: %s", file.path, described(done))
            if delivery < MAX_DEQUEUE_COUNT:
                raise done
        elif not done.set_aside:
            await self._aside.forget(file.id)


def _is_busy(error: Exception) -> bool:
    """Whether nothing is wrong but that there is no time, or others are at the file or its operations."""
    is_ours = isinstance(error, ContendedError | LeasedError)
    return is_ours or (isinstance(error, AzureError) and is_passing(error))
