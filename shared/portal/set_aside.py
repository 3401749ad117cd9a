"""What lies aside, and what an operator can do about it."""

import logging
from http import HTTPStatus

from shared.jobs.files import FileQueue
from shared.model.answers import Answer, answer, problem_answer
from shared.model.captures import CaptureState
from shared.portal.views import Json, time_view
from shared.store.ledger import UNASSIGNED, LedgerEntry
from shared.store.replays import HinderedError, Replays
from shared.store.set_aside import SetAsideStore
from shared.store.tables import ConflictError

_log = logging.getLogger(__name__)


class SetAsideApi:
    """Shows the files of which something was set aside, and replays or discards them.

    Args:
        aside: what lies aside.
        replays: looks at files before they are handled once more.
        files: takes files that are to be handled.
    """

    def __init__(self, aside: SetAsideStore, replays: Replays, files: FileQueue) -> None:
        self._aside = aside
        self._replays = replays
        self._files = files

    async def list(self) -> Answer:
        """All of them, the oldest first."""
        found = sorted(await self._aside.list(), key=lambda one: (one.day, one.run))
        return answer(HTTPStatus.OK, {"value": [set_aside_view(one) for one in found]})

    async def replay(self, run: str) -> Answer:
        """Have a file handled once more: 202 or 404; 409 if that would do harm, or somebody else does so."""
        known = await self._aside.find(run)
        if known is None:
            return _no_file()
        try:
            span = await self._replays.prepare(known)
            await self._aside.reopen(run)
        except HinderedError as error:
            return problem_answer(HTTPStatus.CONFLICT, "Cannot be handled again", str(error))
        except ConflictError:
            return _busy()
        await self._files.send(known.source, span.after, span.within)
        _log.info("replayed a file that lay aside: %s", known.source)
        return answer(HTTPStatus.ACCEPTED, {"id": run, "source": known.source, "replayed": True})

    async def discard(self, run: str) -> Answer:
        """Take a file off the list: 204, 404, or 409; what was set aside stays in the container."""
        try:
            known = await self._aside.forget(run)
        except ConflictError:
            return _busy()
        return Answer(HTTPStatus.NO_CONTENT, "") if known else _no_file()


def set_aside_view(entry: LedgerEntry) -> Json:
    """One file of which something was set aside."""
    return {
        "id": entry.run,
        "integrationId": None if entry.integration_id == UNASSIGNED else entry.integration_id,
        "source": entry.source,
        "writtenAt": time_view(entry.day),
        "setAside": entry.counts.set_aside,
        "list": entry.aside or None,
        "reason": _why(entry),
    }


def _why(entry: LedgerEntry) -> str:
    if entry.state is CaptureState.DONE:
        # What had been in the way of an earlier try is no reason: all that can be read was handled.
        return "holds what could not be read; the list names each with its reason"
    return entry.trouble


def _no_file() -> Answer:
    return problem_answer(HTTPStatus.NOT_FOUND, "Not found", "Nothing of such a file lies aside.")


def _busy() -> Answer:
    return problem_answer(HTTPStatus.CONFLICT, "Busy", "Somebody else has just decided about the file.")
