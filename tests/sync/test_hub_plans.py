"""What namespaces and hubs need, from what is wanted and what Azure has."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.model.hubs import HubAssignment, HubShape, HubState, NamespaceShape
from shared.model.outcome import CREATED, REPAIRED, UNCHANGED, Outcome, blocked
from shared.model.reasons import Reason
from shared.store.tables import Stored
from shared.sync.hub_plans import (
    NamespaceAction,
    begun,
    due_namespaces,
    plan_hubs,
    plan_namespace,
    settled,
    unseen,
    wanted_hub,
    wanted_namespace,
)
from tests.helpers.facts import IDENTITY_ID, NOW, STORAGE_ID, an_assignment, settings

_SETTINGS = settings(LIGHTKEEPER_SWEEP_SECONDS="3600")
_NAMESPACE = wanted_namespace(_SETTINGS, "westeurope")
_THERE = replace(_NAMESPACE, state="Succeeded")
_HUB = wanted_hub(_SETTINGS)


def test_a_hub_is_wanted_as_the_settings_say() -> None:
    shape = wanted_hub(
        settings(
            LIGHTKEEPER_HUB_PARTITIONS="8",
            LIGHTKEEPER_HUB_RETENTION_HOURS="24",
            LIGHTKEEPER_CAPTURE_INTERVAL_SECONDS="120",
        )
    )
    assert (shape.partitions, shape.retention_hours) == (8, 24)
    assert shape.capture is not None
    assert (shape.capture.interval_seconds, shape.capture.container) == (120, "capture")
    assert (shape.capture.storage_account_id, shape.capture.identity_id) == (STORAGE_ID, IDENTITY_ID)


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(None, NamespaceAction.BEGIN, id="not there"),
        pytest.param(_THERE, NamespaceAction.NOTHING, id="as wanted"),
        pytest.param(replace(_THERE, state="succeeded"), NamespaceAction.NOTHING, id="in lower case"),
        pytest.param(replace(_THERE, state="Active"), NamespaceAction.NOTHING, id="active"),
        pytest.param(replace(_THERE, state="Created"), NamespaceAction.WAIT, id="just begun"),
        pytest.param(replace(_THERE, state="Creating"), NamespaceAction.WAIT, id="being made"),
        pytest.param(replace(_THERE, state="Updating"), NamespaceAction.WAIT, id="being changed"),
        pytest.param(replace(_THERE, state="Deleting"), NamespaceAction.WAIT, id="being deleted"),
        pytest.param(replace(_THERE, state="Failed"), NamespaceAction.GIVE_UP, id="failed"),
        pytest.param(replace(_THERE, state="Canceled"), NamespaceAction.GIVE_UP, id="cancelled"),
        pytest.param(replace(_THERE, region="eastus"), NamespaceAction.GIVE_UP, id="elsewhere"),
        pytest.param(replace(_THERE, tier="Basic"), NamespaceAction.BEGIN, id="another tier"),
        pytest.param(replace(_THERE, keys_allowed=False), NamespaceAction.BEGIN, id="no keys"),
        pytest.param(replace(_THERE, units=7), NamespaceAction.NOTHING, id="more units"),
        pytest.param(replace(_THERE, identities=frozenset()), NamespaceAction.BEGIN, id="no identity"),
    ],
)
def test_what_a_namespace_needs_follows_from_what_there_is(
    observed: NamespaceShape | None, action: NamespaceAction
) -> None:
    assert plan_namespace(_NAMESPACE, observed) is action


def test_a_repair_of_a_namespace_keeps_what_others_and_azure_added_to_it() -> None:
    observed = replace(_THERE, identities=frozenset({"theirs"}), units=7, keys_allowed=False)
    written = begun(_NAMESPACE, observed)
    assert written == replace(_NAMESPACE, identities=frozenset({"theirs", IDENTITY_ID}), units=7)
    assert begun(_NAMESPACE, None) == _NAMESPACE


@pytest.mark.parametrize(
    ("observed", "write", "missing"),
    [
        pytest.param({}, True, True, id="not there"),
        pytest.param({"contoso": _HUB}, False, False, id="as wanted"),
        pytest.param({"contoso": replace(_HUB, partitions=32)}, False, False, id="other partitions"),
        pytest.param({"contoso": replace(_HUB, retention_hours=1)}, True, False, id="another retention"),
        pytest.param({"contoso": replace(_HUB, capture=None)}, True, False, id="no capture"),
        pytest.param({"fabrikam": _HUB}, True, True, id="somebody else's"),
    ],
)
def test_what_a_hub_needs_follows_from_what_there_is(
    observed: dict[str, HubShape], write: bool, missing: bool
) -> None:
    (action,) = plan_hubs(_HUB, [Stored(an_assignment(), "etag")], observed)
    assert (action.write, action.missing) == (write, missing)


def test_a_repair_keeps_the_partitions_that_a_hub_was_made_with() -> None:
    observed = {"contoso": replace(_HUB, partitions=32, capture=None)}
    (action,) = plan_hubs(_HUB, [Stored(an_assignment(), "etag")], observed)
    assert action.shape == replace(_HUB, partitions=32)


def test_actions_come_in_the_order_of_the_assignments() -> None:
    rows = [Stored(an_assignment(customer=name), "etag") for name in ("c-c", "a-a", "b-b")]
    assert [action.assignment for action in plan_hubs(_HUB, rows, {})] == rows


@pytest.mark.parametrize(
    ("assignment", "is_due"),
    [
        (an_assignment(state=HubState.ASSIGNED), True),
        (an_assignment(state=HubState.CREATING), True),
        (an_assignment(state=HubState.BLOCKED, verified_at=NOW), True),
        (an_assignment(state=HubState.READY), True),
        (an_assignment(state=HubState.READY, verified_at=NOW - timedelta(seconds=3599)), False),
        (unseen(an_assignment(state=HubState.READY, verified_at=NOW), blocked(Reason.UNREACHABLE)), True),
        (an_assignment(state=HubState.READY, verified_at=NOW - timedelta(seconds=3600)), True),
    ],
)
def test_a_namespace_is_due_while_one_of_its_hubs_is(assignment: HubAssignment, is_due: bool) -> None:
    quiet = an_assignment(customer="fabrikam", state=HubState.READY, verified_at=NOW)
    expected = ["westeurope/lightkeeper-westeurope-1"] if is_due else []
    assert due_namespaces([quiet, assignment], _SETTINGS, NOW) == expected


def test_each_namespace_is_due_once_and_in_order() -> None:
    assignments = [
        an_assignment(customer=f"customer-{number}", shard=number % 3 + 1, region=region)
        for number in range(6)
        for region in ("westeurope", "eastus")
    ]
    chosen = due_namespaces(assignments, _SETTINGS, NOW)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 6


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (UNCHANGED, HubState.READY, None),
        (CREATED, HubState.CREATING, None),
        (REPAIRED, HubState.CREATING, None),
        (blocked(Reason.REFUSED, "400"), HubState.BLOCKED, Reason.REFUSED),
    ],
)
def test_a_hub_is_ready_only_when_it_was_read_back_as_wanted(
    outcome: Outcome, state: HubState, reason: Reason | None
) -> None:
    after = settled(an_assignment(), outcome, NOW)
    assert (after.state, after.reason) == (state, reason)
    assert after.verified_at == (NOW if state is HubState.READY else None)


@pytest.mark.parametrize("state", [HubState.ASSIGNED, HubState.CREATING, HubState.READY, HubState.BLOCKED])
def test_what_nobody_could_look_at_is_no_worse_than_it_was_and_says_why(state: HubState) -> None:
    after = unseen(an_assignment(state=state), blocked(Reason.UNREACHABLE, "503"))
    assert after.state is (HubState.READY if state is HubState.READY else HubState.BLOCKED)
    assert (after.reason, after.detail) == (Reason.UNREACHABLE, "503")
    assert settled(after, UNCHANGED, NOW).reason is None
