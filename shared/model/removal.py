"""Removals: what becomes of the objects that we made in a customer's tenant, once it is offboarded."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.model.ids import stable_hash
from shared.model.reasons import Reason


class RemovalKind(StrEnum):
    """What is removed."""

    SUBSCRIPTION_SETTING = "subscription_setting"
    RESOURCE_SETTING = "resource_setting"
    EXPORT_RULE = "export_rule"
    OLDER_EXPORT_RULE = "older_export_rule"
    ALERT_EXPORT = "alert_export"


class RemovalState(StrEnum):
    """How far a removal has come.

    `DELETED` was not read back yet; `REMOVED` was, and Azure has no such object any more.
    """

    PENDING = "pending"
    DELETED = "deleted"
    REMOVED = "removed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Removal:
    """One object of ours in a customer's tenant that is to be removed.

    Attributes:
        integration_id: the integration it belongs to.
        subscription_id: where the object is; lower-case GUID.
        kind: what it is.
        scope: `/subscriptions/{id}`, or ID of the resource or workspace it is on.
        name: of the object.
        state: how far it has come.
        reason: what stood in the way.
        detail: what Azure said with that reason.
        deletions: deletions in a row after which the object was still there.
        checked_at: when Azure was last asked (UTC); None if it never was.
    """

    integration_id: str
    subscription_id: str
    kind: RemovalKind
    scope: str
    name: str
    state: RemovalState = RemovalState.PENDING
    reason: Reason | None = None
    detail: str = ""
    deletions: int = 0
    checked_at: datetime | None = None

    @property
    def key(self) -> str:
        """The same for the same object, however its ID is spelled."""
        return stable_hash(self.kind, self.scope.lower(), self.name.lower())

    @property
    def where(self) -> str:
        """The object's place, for people."""
        return self.scope if self.scope.endswith(f"/{self.name}") else f"{self.scope} {self.name}"

    @property
    def open(self) -> bool:
        """Whether there is something left to do that can be done now."""
        return self.state in (RemovalState.PENDING, RemovalState.DELETED)
