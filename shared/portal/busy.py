"""What a caller is told when the storage account has no time."""

import logging
from collections.abc import Awaitable
from dataclasses import replace
from http import HTTPStatus

from azure.core.exceptions import AzureError

from shared.jobs.busy import is_passing, pause
from shared.model.answers import Answer, problem_answer

_log = logging.getLogger(__name__)


async def answered(coming: Awaitable[Answer]) -> Answer:
    """The answer that is coming, or 503 with when to ask again.

    Raises:
        AzureError: storage fails for another reason than that it has no time.
    """
    try:
        return await coming
    except AzureError as error:
        if not is_passing(error):
            raise
        seconds = round(pause(error, 0, ""))
        _log.warning("storage: %s, answered 503", type(error).__name__)
        detail = f"The storage account has no time; try again in {seconds} seconds."
        busy = problem_answer(HTTPStatus.SERVICE_UNAVAILABLE, "Busy", detail)
        return replace(busy, headers={"Retry-After": str(seconds)})
