"""What to do about one setting, which are due, and what an outcome makes of a row."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES, DiagnosticSetting
from shared.model.jobs import Cause
from shared.model.outcome import CREATED, REPAIRED, UNCHANGED, Outcome, blocked
from shared.model.reasons import Reason
from shared.model.subscription import Coverage, Subscription
from shared.sync.subscription_settings import (
    MOST_WRITES,
    ActionKind,
    Observed,
    due,
    is_stale,
    plan,
    settled,
    wanted_setting,
)
from tests.helpers.facts import (
    GROUP,
    NOW,
    PROVIDER_SUBSCRIPTION,
    a_job,
    a_setting,
    a_subscription,
    an_assignment,
    settings,
    stamp,
)

_WANTED = a_setting()
_SETTINGS = settings(LIGHTKEEPER_READ_BACK_SECONDS="60", LIGHTKEEPER_SWEEP_SECONDS="3600")

_rows = st.builds(
    a_subscription,
    st.integers(1, 9),
    coverage=st.sampled_from(Coverage),
    writes=st.integers(0, 5),
    written_at=st.none() | st.just(NOW - timedelta(seconds=30)) | st.just(NOW - timedelta(days=1)),
    verified_at=st.none() | st.just(NOW - timedelta(seconds=30)) | st.just(NOW - timedelta(days=1)),
    handled=st.sampled_from(["", stamp(1), stamp(5)]),
)
_outcomes = st.sampled_from([UNCHANGED, CREATED, REPAIRED, blocked(Reason.REFUSED, "400 BadRequest: no")])


def test_the_setting_sends_all_eight_categories_to_the_customers_hub() -> None:
    wanted = wanted_setting(_SETTINGS, an_assignment())
    assert wanted.name == "Lightkeeper-Logs"
    assert wanted.hub == "contoso"
    assert wanted.categories == ACTIVITY_LOG_CATEGORIES
    assert len(wanted.categories) == 8
    assert wanted.rule_id == (
        f"/subscriptions/{PROVIDER_SUBSCRIPTION}/resourceGroups/{GROUP}/providers/Microsoft.EventHub"
        "/namespaces/lightkeeper-westeurope-1/authorizationRules/diagnostics"
    )


def test_the_brand_names_the_setting() -> None:
    assert wanted_setting(settings(LIGHTKEEPER_BRAND="Beacon"), an_assignment()).name == "Beacon-Logs"


@pytest.mark.parametrize(
    ("observed", "action"),
    [
        pytest.param(Observed(a_subscription(), read=False), ActionKind.CREATE, id="not asked"),
        pytest.param(
            Observed(a_subscription(), read=True, setting=_WANTED), ActionKind.CONFIRM, id="as wanted"
        ),
        pytest.param(Observed(a_subscription(), read=True), ActionKind.REPAIR, id="missing"),
        pytest.param(
            Observed(a_subscription(), read=True, setting=a_setting(hub="other")),
            ActionKind.REPAIR,
            id="drift",
        ),
        pytest.param(
            Observed(a_subscription(writes=MOST_WRITES - 1), read=True), ActionKind.REPAIR, id="the last try"
        ),
        pytest.param(
            Observed(a_subscription(writes=MOST_WRITES), read=True), ActionKind.GIVE_UP, id="kept nothing"
        ),
        pytest.param(
            Observed(a_subscription(writes=MOST_WRITES), read=True, setting=a_setting(hub="other")),
            ActionKind.GIVE_UP,
            id="kept something else",
        ),
        pytest.param(
            Observed(a_subscription(writes=MOST_WRITES), read=True, setting=_WANTED),
            ActionKind.CONFIRM,
            id="kept at last",
        ),
    ],
)
def test_what_is_done_follows_from_what_was_observed(observed: Observed, action: ActionKind) -> None:
    assert [each.kind for each in plan(_WANTED, observed)] == [action]


def test_a_repair_says_which_fields_drifted() -> None:
    observed = a_setting(hub="other", categories=frozenset())
    (action,) = plan(_WANTED, Observed(a_subscription(), read=True, setting=observed))
    assert action.why == "hub, categories"


_observed_settings = st.none() | st.builds(
    a_setting,
    hub=st.sampled_from(["contoso", "CONTOSO", "other"]),
    categories=st.sampled_from([ACTIVITY_LOG_CATEGORIES, frozenset[str]()]),
)


@given(_rows, st.booleans(), _observed_settings)
def test_there_is_always_exactly_one_thing_to_do(
    row: Subscription, read: bool, setting: DiagnosticSetting | None
) -> None:
    (action,) = plan(_WANTED, Observed(row, read, setting if read else None))
    writes = action.kind in (ActionKind.CREATE, ActionKind.REPAIR)
    assert not (
        writes and read and setting is not None and setting.hub.lower() == "contoso" and setting.categories
    )


@pytest.mark.parametrize(
    ("row", "is_due"),
    [
        pytest.param(a_subscription(coverage=Coverage.PENDING), True, id="pending"),
        pytest.param(a_subscription(coverage=Coverage.BLOCKED), True, id="blocked"),
        pytest.param(a_subscription(coverage=Coverage.EXCLUDED), False, id="excluded"),
        pytest.param(a_subscription(coverage=Coverage.GONE), False, id="gone"),
        pytest.param(
            a_subscription(coverage=Coverage.WRITTEN, written_at=NOW - timedelta(seconds=59)),
            False,
            id="just written",
        ),
        pytest.param(
            a_subscription(coverage=Coverage.WRITTEN, written_at=NOW - timedelta(seconds=60)),
            True,
            id="written a while ago",
        ),
        pytest.param(a_subscription(coverage=Coverage.WRITTEN), True, id="written, nobody knows when"),
        pytest.param(
            a_subscription(coverage=Coverage.CONFIGURED, verified_at=NOW - timedelta(seconds=3599)),
            False,
            id="verified of late",
        ),
        pytest.param(
            a_subscription(coverage=Coverage.CONFIGURED, verified_at=NOW - timedelta(seconds=3600)),
            True,
            id="verified too long ago",
        ),
        pytest.param(a_subscription(coverage=Coverage.CONFIGURED), True, id="configured, never verified"),
    ],
)
def test_a_cycle_looks_after_what_is_due(row: Subscription, is_due: bool) -> None:
    assert due([row], _SETTINGS, NOW) == ([row] if is_due else [])


@given(st.lists(_rows, max_size=9))
def test_what_is_due_comes_in_its_order_and_is_watched(rows: list[Subscription]) -> None:
    chosen = due(rows, _SETTINGS, NOW)
    assert [row for row in rows if row in chosen] == chosen
    assert all(row.watched for row in chosen)


@pytest.mark.parametrize(
    "coverage", [coverage for coverage in Coverage if a_subscription(coverage=coverage).watched]
)
def test_everything_watched_is_due_at_least_once_in_a_sweep(coverage: Coverage) -> None:
    row = a_subscription(coverage=coverage, written_at=NOW, verified_at=NOW)
    assert due([row], _SETTINGS, NOW + timedelta(seconds=_SETTINGS.sweep_seconds)) == [row]


@pytest.mark.parametrize("written", [CREATED, REPAIRED])
def test_a_write_is_not_yet_a_configured_setting(written: Outcome) -> None:
    row = settled(a_subscription(writes=1), written, NOW, stamp(2))
    assert (row.coverage, row.writes, row.written_at, row.verified_at) == (Coverage.WRITTEN, 2, NOW, None)


def test_only_a_read_back_makes_a_setting_configured() -> None:
    row = settled(a_subscription(coverage=Coverage.WRITTEN, writes=2), UNCHANGED, NOW, stamp(2))
    assert (row.coverage, row.writes, row.verified_at, row.reason) == (Coverage.CONFIGURED, 0, NOW, None)


def test_what_is_blocked_has_its_reason_and_what_azure_said() -> None:
    row = settled(a_subscription(), blocked(Reason.ROLE_MISSING, "403 ..."), NOW, stamp(2))
    assert (row.coverage, row.reason, row.detail) == (Coverage.BLOCKED, Reason.ROLE_MISSING, "403 ...")


@given(_rows, _outcomes)
def test_a_row_has_a_reason_exactly_when_it_is_blocked(row: Subscription, outcome: Outcome) -> None:
    after = settled(row, outcome, NOW, stamp(2))
    assert (after.reason is not None) == (after.coverage is Coverage.BLOCKED)


@given(_rows, _outcomes, st.sampled_from([stamp(1), stamp(3), stamp(9)]))
def test_an_outcome_never_turns_the_newest_cycle_back(
    row: Subscription, outcome: Outcome, cycle: str
) -> None:
    after = settled(row, outcome, NOW, cycle)
    assert after.handled == max(row.handled, cycle)
    assert replace(after, handled="") == replace(settled(row, outcome, NOW, stamp(1)), handled="")


@pytest.mark.parametrize(
    ("cause", "handled", "stale"),
    [
        (Cause.CYCLE, stamp(4), False),
        (Cause.CYCLE, stamp(5), False),
        (Cause.CYCLE, stamp(6), True),
        (Cause.RETRY, stamp(6), False),
        (Cause.LOG, stamp(6), False),
        (Cause.OPERATOR, stamp(6), False),
        (Cause.ONBOARDING, stamp(6), False),
        (Cause.CYCLE, "", False),
    ],
)
def test_only_a_cycle_job_that_a_newer_cycle_overtook_is_stale(
    cause: Cause, handled: str, stale: bool
) -> None:
    assert is_stale(a_subscription(handled=handled), a_job(cycle=stamp(5), cause=cause)) is stale
