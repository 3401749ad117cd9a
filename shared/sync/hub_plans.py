"""What namespaces and event hubs need, from what is wanted and what Azure has; no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.model.captures import Container
from shared.model.hubs import CaptureSettings, HubAssignment, HubShape, HubState, NamespaceShape
from shared.model.outcome import Outcome, OutcomeKind
from shared.settings import Settings
from shared.store.tables import Stored
from shared.sync.draining import is_over
from shared.sync.drift import hub_drift, namespace_drift

_TIER: Final = "Standard"
_FINISHED: Final = frozenset({"succeeded", "active"})
_FAILED: Final = frozenset({"failed", "canceled"})


class NamespaceAction(StrEnum):
    """What a namespace needs next."""

    NOTHING = "nothing"
    BEGIN = "begin"
    WAIT = "wait"
    GIVE_UP = "give_up"


@dataclass(frozen=True, slots=True)
class HubAction:
    """What one event hub needs: nothing if `write` is False.

    Attributes:
        assignment: whose hub.
        write: whether it has to be written.
        shape: how.
        missing: whether it was not there at all.
    """

    assignment: Stored[HubAssignment]
    write: bool
    shape: HubShape
    missing: bool = False


def wanted_namespace(settings: Settings, region: str) -> NamespaceShape:
    """The namespace that a region is to have."""
    return NamespaceShape(region, _TIER, frozenset({settings.capture_identity_id}))


def wanted_hub(settings: Settings) -> HubShape:
    """The event hub that every customer is to have."""
    return HubShape(
        partitions=settings.hub_partitions,
        retention_hours=settings.hub_retention_hours,
        capture=CaptureSettings(
            interval_seconds=settings.capture_interval_seconds,
            size_limit_bytes=settings.capture_size_bytes,
            storage_account_id=settings.capture_storage_id,
            container=Container.CAPTURE.value,
            identity_id=settings.capture_identity_id,
        ),
    )


def plan_namespace(wanted: NamespaceShape, observed: NamespaceShape | None) -> NamespaceAction:
    """What a namespace needs next."""
    if observed is None:
        return NamespaceAction.BEGIN
    if observed.state.lower() in _FAILED or observed.region != wanted.region:
        return NamespaceAction.GIVE_UP
    if observed.state.lower() not in _FINISHED:
        return NamespaceAction.WAIT
    return NamespaceAction.BEGIN if namespace_drift(wanted, observed) else NamespaceAction.NOTHING


def begun(wanted: NamespaceShape, observed: NamespaceShape | None) -> NamespaceShape:
    """The namespace to be written, which replaces what there is: with what others added to it."""
    if observed is None:
        return wanted
    return replace(wanted, identities=wanted.identities | observed.identities, units=observed.units)


def plan_hubs(
    wanted: HubShape, rows: Sequence[Stored[HubAssignment]], observed: Mapping[str, HubShape]
) -> list[HubAction]:
    """What each event hub of a namespace needs, in the order of the rows."""
    actions: list[HubAction] = []
    for row in rows:
        found = observed.get(row.fact.hub.lower())
        if found is None:
            actions.append(HubAction(row, write=True, shape=wanted, missing=True))
        else:
            shape = replace(wanted, partitions=found.partitions)
            actions.append(HubAction(row, write=bool(hub_drift(shape, found)), shape=shape))
    return actions


def due_namespaces(assignments: Sequence[HubAssignment], settings: Settings, now: datetime) -> list[str]:
    """The namespaces that a cycle has to look after, as `region/namespace`, sorted."""
    sweep = timedelta(seconds=settings.sweep_seconds)

    def is_verified(row: HubAssignment) -> bool:
        if row.state is not HubState.READY or row.reason is not None:
            return False
        return row.verified_at is not None and now - row.verified_at < sweep

    return sorted(
        {
            f"{assignment.region}/{assignment.namespace}"
            for assignment in assignments
            if is_over(assignment, now) or (not assignment.leaving and not is_verified(assignment))
        }
    )


def settled(row: HubAssignment, outcome: Outcome, now: datetime) -> HubAssignment:
    """The assignment after an outcome; a hub is ready only when it was read back as wanted."""
    match outcome.kind:
        case OutcomeKind.UNCHANGED:
            return replace(row, state=HubState.READY, reason=None, detail="", verified_at=now)
        case OutcomeKind.BLOCKED:
            return replace(row, state=HubState.BLOCKED, reason=outcome.reason, detail=outcome.detail)
        case _:
            return replace(row, state=HubState.CREATING, reason=None, detail="")


def unseen(row: HubAssignment, outcome: Outcome) -> HubAssignment:
    """The assignment when nobody could look: a hub that was ready is, until somebody sees that it is not."""
    state = HubState.READY if row.state is HubState.READY else HubState.BLOCKED
    return replace(row, state=state, reason=outcome.reason, detail=outcome.detail)


def in_state(rows: Sequence[Stored[HubAssignment]], state: HubState) -> list[HubAssignment]:
    """The assignments in another state, without a reason."""
    return [replace(row.fact, state=state, reason=None, detail="") for row in rows]


def place(assignment: HubAssignment) -> str:
    """Where a problem with an event hub is."""
    return f"{assignment.namespace}/{assignment.hub}"
