"""From what Azure answered, or the SDK raised, to the errors of `shared.arm.errors`.

The Insights provider answers 409 `Conflict` for three different causes and does not wrap its errors in
`error`, and data export answers with bare texts, so causes are told apart by message.
"""

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError

from shared.arm.errors import (
    MOST_DETAIL,
    ArmConflictError,
    ArmError,
    LinkedNotAuthorizedError,
    NameTakenError,
    NotAuthenticatedError,
    NotAuthorizedError,
    NotDelegatedError,
    NotFoundError,
    ProviderNotRegisteredError,
    ReadOnlyError,
    RefusedError,
    SettingLimitError,
    SinkUsedError,
    ThrottledError,
    TypeNotSupportedError,
    UnavailableError,
)

DEFAULT_RETRY_AFTER: Final = 30.0
"""Seconds to stay away after a 429 that does not say how long."""

# Message patterns from public issue threads: terraform-azurerm-avm-ptn-aiml-landing-zone#19,
# missionlz#565, azure-sdk-for-net#17836, azure-rest-api-specs#12060.
_CONFLICTS: Final[tuple[tuple[re.Pattern[str], type[ArmConflictError]], ...]] = (
    (re.compile(r"data sink .* is already used", re.IGNORECASE | re.DOTALL), SinkUsedError),
    (re.compile(r"limit of \d+ diagnostic settings", re.IGNORECASE), SettingLimitError),
    (re.compile(r"not registered to use|please register", re.IGNORECASE), ProviderNotRegisteredError),
)
_NAME_TAKEN: Final = re.compile(r"(name|namespace).*(already in use|not available|is taken)", re.IGNORECASE)
# Data export answers with bare texts (recorded).
_REFUSALS: Final[tuple[tuple[re.Pattern[str], type[ArmError]], ...]] = (
    (_NAME_TAKEN, NameTakenError),
    (re.compile(r"already defined in rule", re.IGNORECASE), SinkUsedError),
)
_CONFLICT_CODES: Final[dict[str, type[ArmConflictError]]] = {
    "missingsubscriptionregistration": ProviderNotRegisteredError,
    "readonlydisabledsubscription": ReadOnlyError,
    "nameinuse": NameTakenError,
    "namespaceunavailable": NameTakenError,
}
_CODES: Final[dict[str, type[ArmError]]] = {
    "resourcetypenotsupported": TypeNotSupportedError,
    "invalidauthenticationtokentenant": NotDelegatedError,
    "linkedauthorizationfailed": LinkedNotAuthorizedError,
    # A 403 that no role would turn into a yes.
    "requestdisallowedbypolicy": RefusedError,
}
_STATUSES: Final[dict[int, type[ArmError]]] = {
    HTTPStatus.UNAUTHORIZED: NotAuthenticatedError,
    HTTPStatus.FORBIDDEN: NotAuthorizedError,
    HTTPStatus.NOT_FOUND: NotFoundError,
}
_RESETS_AFTER: Final = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})")


def classify(
    status: int, code: str, message: str, retry_after: str | None = None, now: datetime | None = None
) -> ArmError:
    """The error that an answer means.

    Args:
        status: HTTP status, 400 or more.
        code: `code` of the error body, wrapped in `error` or not.
        message: `message` of the error body.
        retry_after: the `Retry-After` header: seconds, or a date.
        now: the present (UTC), for dates.
    """
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(message, status, code, retry_seconds(retry_after, now))
    return _kind(status, code, message)(message, status, code)


def _kind(status: int, code: str, message: str) -> type[ArmError]:
    known = _CODES.get(code.lower())
    if known is not None:
        return known
    if status == HTTPStatus.CONFLICT:
        return _conflict(code, message)
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError
    for pattern, kind in _REFUSALS:
        if pattern.search(message):
            return kind
    return _STATUSES.get(status, RefusedError)


def _conflict(code: str, message: str) -> type[ArmConflictError]:
    for pattern, kind in _CONFLICTS:
        if pattern.search(message):
            return kind
    if _NAME_TAKEN.search(message):
        return NameTakenError
    return _CONFLICT_CODES.get(code.lower(), ArmConflictError)


def retry_seconds(header: str | None, now: datetime | None = None) -> float:
    """Seconds that a `Retry-After` header asks for; a default where it says nothing readable."""
    if not header:
        return DEFAULT_RETRY_AFTER
    try:
        seconds = float(header)
    except ValueError:
        pass
    else:
        return max(seconds, 0.0) if math.isfinite(seconds) else DEFAULT_RETRY_AFTER
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return DEFAULT_RETRY_AFTER
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - (now or datetime.now(UTC))).total_seconds(), 0.0)


@contextmanager
def arm_errors() -> Iterator[None]:
    """Turn what the SDK raises inside into the errors of this module.

    Raises:
        ArmError: the SDK raised; its exception is the cause.
    """
    try:
        yield
    except HttpResponseError as error:
        raise from_sdk(error) from error
    except AzureError as error:
        raise UnavailableError(f"no answer: {type(error).__name__}") from error
    except json.JSONDecodeError as error:
        raise UnavailableError("an answer that cannot be read") from error


def from_sdk(error: HttpResponseError) -> ArmError:
    """The error that an SDK exception stands for."""
    if error.response is None or error.status_code is None:
        return UnavailableError(f"no answer: {type(error).__name__}")
    if error.status_code < HTTPStatus.BAD_REQUEST:
        return UnavailableError("an answer that cannot be read", error.status_code)
    body = error.error
    code = (body.code if body is not None else None) or ""
    message = (body.message if body is not None else None) or _text(error) or error.reason or "no message"
    return classify(error.status_code, str(code), str(message), _retry_after(error))


def _text(error: HttpResponseError) -> str:
    """Some providers answer with a bare text, or with a JSON string."""
    text = getattr(error.response, "text", None)
    return str(text()).strip().strip('"')[:MOST_DETAIL] if callable(text) else ""


def _retry_after(error: HttpResponseError) -> str | None:
    """Resource Graph says in a header of its own, as `hh:mm:ss`, when its quota begins anew."""
    headers = getattr(error.response, "headers", {})
    resets = _RESETS_AFTER.fullmatch(headers.get("x-ms-user-quota-resets-after") or "")
    if headers.get("Retry-After") is None and resets is not None:
        hours, minutes, seconds = (int(part) for part in resets.groups())
        return str(hours * 3600 + minutes * 60 + seconds)
    answer: str | None = headers.get("Retry-After")
    return answer
