"""Capture files that no event announced, or that somebody wants to have handled once more."""

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

        What fails goes on to the Functions host, which delivers the message again and finally moves it to the
        poison queue, where somebody sees it: of a file that failed before it had a row nothing else may tell.

        Args:
            text: the message.
            delivery: how often it has been delivered, this time included.

        Raises:
            Exception: the file was not handled, and nobody else is handling it.
        """
        try:
            file = capture_file_at(path_of(text), ContainerName.CAPTURE)
        except (MalformedMessageError, NotACaptureFileError) as error:
            _log.error("ignored a message: %s", error)
            return
        try:
            done = await self._handler.handle_file(file)
        except LeasedError:
            _log.info("somebody else is handling %s", file.path)
            return
        except Exception as error:
            _log.warning("failed again %s: %s", file.path, described(error))
            if delivery >= MAX_DEQUEUE_COUNT and await self._aside.find(file.id) is not None:
                # It stays in the list. Who asks once more hears there whether that would do harm by now.
                return
            raise
        if not done.set_aside:
            await self._aside.forget(file.id)
