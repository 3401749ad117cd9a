"""What Azure Resource Manager can answer instead of what was asked for.

    ArmError
    ├── NotFoundError             404
    ├── NotAuthorizedError        403
    │   ├── NotDelegatedError          401 of the subscription's tenant: it does not let us in
    │   └── LinkedNotAuthorizedError   403 on the object that a setting points to
    ├── ThrottledError            429, or our own restraint before it; knows when to come back
    ├── UnavailableError          no answer, none that can be read, 408, 5xx
    │   └── NotAuthenticatedError      401: our identity or its token is not accepted
    ├── ArmConflictError          409
    │   ├── SinkUsedError             another setting has the same sink and category
    │   ├── SettingLimitError         five settings exist
    │   ├── ProviderNotRegisteredError
    │   ├── ReadOnlyError             the subscription is disabled
    │   └── NameTakenError
    ├── ExportLimitError          ten data export rules exist
    ├── TypeNotSupportedError     the resource type has no diagnostic settings
    └── RefusedError              any other 4xx

`shared.arm.refusals` finds out which one an answer means. Callers write:

    try:
        await put_setting(arm, scope, setting)
    except SettingLimitError as error:
        ...
"""

from typing import Final

from shared.model.reasons import Reason

MOST_DETAIL: Final = 400
"""Characters that are kept of what Azure said."""


class ArmError(Exception):
    """Azure did not do what was asked.

    Attributes:
        reason: what that means for the object concerned.
        status: HTTP status; 0 if there was no answer.
        code: Azure's error code; empty if there was none.
    """

    reason: Reason = Reason.REFUSED

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @property
    def detail(self) -> str:
        """Status, code and message in one line, for people; no payload, no secret."""
        text = f"{self.status} {self.code}: {self.args[0]}" if self.status else str(self.args[0])
        return " ".join(text.split())[:MOST_DETAIL]


class NotFoundError(ArmError):
    """The object, its parent or its subscription is not there, as far as we may see."""


class NotAuthorizedError(ArmError):
    """We may not do this here."""

    reason = Reason.ROLE_MISSING


class NotDelegatedError(NotAuthorizedError):
    """The subscription belongs to a tenant that does not delegate it to us."""

    reason = Reason.NOT_DELEGATED


class LinkedNotAuthorizedError(NotAuthorizedError):
    """We may change the object but not use what it is to point to."""

    reason = Reason.LINKED_ROLE_MISSING


class ThrottledError(ArmError):
    """Too many requests.

    Attributes:
        retry_after: seconds to stay away.
    """

    reason = Reason.THROTTLED

    def __init__(self, message: str, status: int = 0, code: str = "", retry_after: float = 0.0) -> None:
        super().__init__(message, status, code)
        self.retry_after = retry_after


class UnavailableError(ArmError):
    """There was no answer, or a server error."""

    reason = Reason.UNREACHABLE


class NotAuthenticatedError(UnavailableError):
    """Azure does not accept our identity's token."""

    reason = Reason.IDENTITY_REFUSED


class ArmConflictError(ArmError):
    """Something stands in the way."""


class SinkUsedError(ArmConflictError):
    """Another diagnostic setting already sends one of the categories to the same sink."""

    reason = Reason.SINK_ALREADY_USED


class SettingLimitError(ArmConflictError):
    """Five diagnostic settings exist."""

    reason = Reason.SETTING_LIMIT_REACHED


class ProviderNotRegisteredError(ArmConflictError):
    """The resource provider is not registered in the subscription."""

    reason = Reason.PROVIDER_NOT_REGISTERED


class ReadOnlyError(ArmConflictError):
    """The subscription is disabled, so only reading works."""

    reason = Reason.SUBSCRIPTION_DISABLED


class NameTakenError(ArmConflictError):
    """The global name belongs to somebody else."""

    reason = Reason.NAMESPACE_NAME_TAKEN


class ExportLimitError(ArmError):
    """Ten active data export rules exist."""

    reason = Reason.EXPORT_LIMIT_REACHED


class TypeNotSupportedError(ArmError):
    """Resources of this type have no diagnostic settings."""

    reason = Reason.TYPE_NOT_SUPPORTED


class RefusedError(ArmError):
    """Any other refusal."""
