"""Trouble with the storage account that passes by itself, told apart from what is wrong for good."""

from http import HTTPStatus
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError

from shared.arm.refusals import retry_seconds

_TOO_BUSY: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


def is_passing(error: AzureError) -> bool:
    """Whether the same request may succeed later: there was no answer, 408, 429 or 5xx."""
    if isinstance(error, HttpResponseError):
        status = error.status_code or 0
        return status in _TOO_BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, ServiceRequestError | ServiceResponseError)


def retry_after(error: AzureError) -> float | None:
    """Seconds to stay away, if the answer says how many."""
    response = error.response if isinstance(error, HttpResponseError) else None
    header = getattr(response, "headers", {}).get("Retry-After")
    return retry_seconds(header) if header else None
