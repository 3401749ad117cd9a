"""Trouble with the storage account that passes by itself, told apart from what is wrong for good."""

from http import HTTPStatus
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError

from shared.arm.refusals import retry_seconds
from shared.jobs.spread import after, back_off

_TOO_BUSY: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}

LEAST_BACK_OFF: Final = 5.0
MOST_BACK_OFF: Final = 900.0
"""Seconds to stay away if nobody says how many."""


def is_passing(error: AzureError) -> bool:
    """Whether the same request may succeed later: there was no answer, 408, 429 or 5xx."""
    if isinstance(error, HttpResponseError):
        status = error.status_code or 0
        return status in _TOO_BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, ServiceRequestError | ServiceResponseError)


def pause(error: Exception, attempt: int, target: str) -> float:
    """Seconds until the next attempt: as many as the answer says, or more with each attempt; plus jitter.

    Args:
        error: why this one failed.
        attempt: how many were before it.
        target: what it was about, so that others come at other moments.
    """
    stated = _stated(error)
    if stated is None:
        return back_off(attempt, LEAST_BACK_OFF, MOST_BACK_OFF, target)
    return after(stated, target, str(attempt))


def _stated(error: Exception) -> float | None:
    """Seconds to stay away, if the answer says how many."""
    response = error.response if isinstance(error, HttpResponseError) else None
    header = getattr(response, "headers", {}).get("Retry-After")
    return retry_seconds(header) if header else None
