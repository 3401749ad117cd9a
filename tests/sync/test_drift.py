"""Drift: only in the fields that we own, and whatever the spelling."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.arm.event_hubs import hub_body, hub_from_body, namespace_body, namespace_from_body
from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES, Additions
from shared.sync.drift import hub_drift, namespace_drift, setting_drift
from shared.sync.hub_plans import wanted_hub, wanted_namespace
from tests.helpers.facts import IDENTITY_ID, a_setting, settings

_CATEGORY = next(iter(sorted(ACTIVITY_LOG_CATEGORIES)))
_HUB = wanted_hub(settings())
_NAMESPACE = wanted_namespace(settings(), "westeurope")


def test_a_setting_as_wanted_has_no_drift() -> None:
    assert setting_drift(a_setting(), a_setting()) == []


def test_the_casing_of_a_setting_is_no_drift() -> None:
    wanted = a_setting()
    observed = a_setting(
        rule_id=wanted.rule_id.upper(),
        hub=wanted.hub.upper(),
        categories=frozenset(name.lower() for name in wanted.categories),
    )
    assert setting_drift(wanted, observed) == []


def test_sinks_that_the_customer_added_are_theirs() -> None:
    assert setting_drift(a_setting(), a_setting(additions=Additions(workspace_id="/w"))) == []


@pytest.mark.parametrize(
    ("observed", "field"),
    [
        pytest.param(a_setting(rule_id="/another/rule"), "rule", id="another namespace"),
        pytest.param(a_setting(rule_id=""), "rule", id="no namespace"),
        pytest.param(a_setting(hub="fabrikam"), "hub", id="another hub"),
        pytest.param(a_setting(hub=""), "hub", id="no hub"),
        pytest.param(a_setting(categories=ACTIVITY_LOG_CATEGORIES - {_CATEGORY}), "categories", id="one off"),
        pytest.param(a_setting(categories=frozenset()), "categories", id="all off"),
        pytest.param(a_setting(categories=ACTIVITY_LOG_CATEGORIES | {"New"}), "categories", id="one more"),
    ],
)
def test_each_field_that_we_own_drifts_by_its_name(observed: object, field: str) -> None:
    assert [difference.field for difference in setting_drift(a_setting(), observed)] == [field]  # type: ignore[arg-type]


def test_a_difference_says_what_was_wanted_and_what_was_found() -> None:
    (difference,) = setting_drift(a_setting(hub="contoso"), a_setting(hub="Fabrikam"))
    assert (difference.wanted, difference.observed) == ("contoso", "fabrikam")


@given(st.sets(st.sampled_from(sorted(ACTIVITY_LOG_CATEGORIES))))
def test_categories_drift_exactly_when_one_is_off(enabled: set[str]) -> None:
    drift = setting_drift(a_setting(), a_setting(categories=frozenset(enabled)))
    assert bool(drift) == (enabled != ACTIVITY_LOG_CATEGORIES)


def test_what_we_write_of_a_hub_or_a_namespace_reads_back_without_drift() -> None:
    assert hub_drift(_HUB, hub_from_body(hub_body(_HUB))) == []
    assert namespace_drift(_NAMESPACE, namespace_from_body(namespace_body(_NAMESPACE))) == []


def test_the_partitions_of_a_hub_never_drift() -> None:
    assert hub_drift(_HUB, replace(_HUB, partitions=32)) == []


def test_capture_that_is_off_or_elsewhere_is_drift() -> None:
    assert _HUB.capture is not None
    for capture in (
        None,
        replace(_HUB.capture, container="other"),
        replace(_HUB.capture, interval_seconds=900),
    ):
        (difference,) = hub_drift(_HUB, replace(_HUB, capture=capture))
        assert difference.field == "capture"


def test_another_retention_is_drift() -> None:
    (difference,) = hub_drift(_HUB, replace(_HUB, retention_hours=1))
    assert difference.field == "retention"


def test_a_namespace_without_the_identity_of_capture_has_drifted() -> None:
    (difference,) = namespace_drift(_NAMESPACE, replace(_NAMESPACE, identities=frozenset()))
    assert difference.field == "identity"


def test_the_state_of_a_namespace_is_no_drift() -> None:
    assert namespace_drift(_NAMESPACE, replace(_NAMESPACE, state="Succeeded", tier="standard")) == []


def test_an_identity_that_somebody_else_attached_to_a_namespace_is_no_drift() -> None:
    body = namespace_body(_NAMESPACE)
    body["identity"]["userAssignedIdentities"] |= {IDENTITY_ID.replace("capture", "another"): {}}
    assert namespace_drift(_NAMESPACE, namespace_from_body(body)) == []
