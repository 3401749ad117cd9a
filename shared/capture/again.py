"""Capture files that no event announced, or that somebody wants to have handled once more."""

import asyncio
import logging

from shared.capture.events import NotACaptureFileError, capture_file_at
from shared.capture.handle import CaptureHandler, described
from shared.jobs.files import path_of
from shared.jobs.message import MalformedMessageError
from shared.jobs.poison import MAX_DEQUEUE_COUNT
from shared.store.blobs import ContainerName
from shared.store.captures import LeasedError
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

    async def run(self, text: bytes, delivery: int = 1) -> None:
        """Handle the file that a message names.

        What fails goes on to the Functions host, which delivers the message again. After the last time the
        file is in the list of what lies aside, or the audit shows it and sends it once more: messages in the
        poison queue would only repeat that.

        Args:
            text: the message.
            delivery: how often it has been delivered, this time included.

        Raises:
            Exception: the file was not handled, nobody else is handling it, and the message is to come again.
        """
        try:
            file = capture_file_at(path_of(text), ContainerName.CAPTURE)
        except (MalformedMessageError, NotACaptureFileError) as error:
            _log.error("ignored a message: %s", error)
            return
        (done,) = await asyncio.gather(self._handler.handle_file(file), return_exceptions=True)
        if isinstance(done, LeasedError):
            _log.info("somebody else is handling %s", file.path)
        elif isinstance(done, BaseException):
            _log.warning("failed again %s: %s", file.path, described(done))
            if delivery < MAX_DEQUEUE_COUNT:
                raise done
        elif not done.set_aside:
            await self._aside.forget(file.id)
