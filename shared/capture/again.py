"""Capture files that no event announced, or that somebody wants to have handled once more."""

import asyncio
import logging

from shared.capture.events import NotACaptureFileError, capture_file_at
from shared.capture.handle import CaptureHandler, described
from shared.jobs.files import path_of
from shared.jobs.message import MalformedMessageError
from shared.store.blobs import ContainerName
from shared.store.set_aside import SetAsideStore

_log = logging.getLogger(__name__)


class Again:
    """Handles files that come by the queue.

    Args:
        handler: handles them.
        aside: what lies aside, until it could be handled.
    """

    def __init__(self, handler: CaptureHandler, aside: SetAsideStore) -> None:
        self._handler = handler
        self._aside = aside

    async def run(self, text: bytes) -> None:
        """Handle the file that a message names.

        What fails stays as it is in the ledger and among what was set aside: the next sweep, or whoever asked
        for it, comes back to it, so that no message has to.
        """
        try:
            file = capture_file_at(path_of(text), ContainerName.CAPTURE)
        except (MalformedMessageError, NotACaptureFileError) as error:
            _log.error("ignored a message: %s", error)
            return
        (done,) = await asyncio.gather(self._handler.handle_file(file), return_exceptions=True)
        if isinstance(done, BaseException):
            _log.warning("failed again %s: %s", file.path, described(done))
        elif not done.set_aside:
            await self._aside.forget(file.id)
