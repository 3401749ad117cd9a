"""Keeping one object: what is done, what is due, and what an outcome makes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.spread import fraction
from shared.model.jobs import Cause
from shared.model.outcome import CREATED, REPAIRED, UNCHANGED, Outcome, blocked
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage, Upkeep
from shared.sync.drift import Difference
from shared.sync.upkeep import MOST_WRITES, ActionKind, Observed, is_due, is_stale, plan, settled, was_written
from tests.helpers.facts import NOW, a_job, settings, stamp

_SETTINGS = settings(LIGHTKEEPER_READ_BACK_SECONDS="60", LIGHTKEEPER_SWEEP_SECONDS="3600")
_KEYS = sorted((str(number) for number in range(2000)), key=fraction)
_EARLIEST, _LATEST = _KEYS[0], _KEYS[-1]
_DRIFT = (Difference("hub", "contoso", "other"), Difference("categories", "a,b", "a"))

_rows = st.builds(
    Upkeep,
    coverage=st.sampled_from(Coverage),
    writes=st.integers(0, 5),
    written_at=st.none() | st.just(NOW - timedelta(seconds=30)) | st.just(NOW - timedelta(days=1)),
    verified_at=st.none() | st.just(NOW - timedelta(seconds=30)) | st.just(NOW - timedelta(days=1)),
    handled=st.sampled_from(["", stamp(1), stamp(5)]),
)
_outcomes = st.sampled_from([UNCHANGED, CREATED, REPAIRED, blocked(Reason.REFUSED, "400 BadRequest: no")])
_observed = st.builds(Observed, st.booleans(), st.booleans(), st.sampled_from([(), _DRIFT[:1], _DRIFT]))


@pytest.mark.parametrize(
    ("upkeep", "observed", "action"),
    [
        pytest.param(Upkeep(), Observed(read=False), ActionKind.CREATE, id="not asked"),
        pytest.param(Upkeep(), Observed(read=True, exists=True), ActionKind.CONFIRM, id="as wanted"),
        pytest.param(Upkeep(), Observed(read=True), ActionKind.REPAIR, id="missing"),
        pytest.param(Upkeep(), Observed(read=True, exists=True, drift=_DRIFT), ActionKind.REPAIR, id="drift"),
        pytest.param(
            Upkeep(writes=MOST_WRITES - 1), Observed(read=True), ActionKind.REPAIR, id="the last try"
        ),
        pytest.param(Upkeep(writes=MOST_WRITES), Observed(read=True), ActionKind.GIVE_UP, id="kept nothing"),
        pytest.param(
            Upkeep(coverage=Coverage.BLOCKED, writes=MOST_WRITES),
            Observed(read=True),
            ActionKind.REPAIR,
            id="kept nothing in an earlier cycle",
        ),
        pytest.param(
            Upkeep(writes=MOST_WRITES),
            Observed(read=True, exists=True, drift=_DRIFT),
            ActionKind.GIVE_UP,
            id="kept something else",
        ),
        pytest.param(
            Upkeep(writes=MOST_WRITES),
            Observed(read=True, exists=True),
            ActionKind.CONFIRM,
            id="kept at last",
        ),
    ],
)
def test_what_is_done_follows_from_what_was_observed(
    upkeep: Upkeep, observed: Observed, action: ActionKind
) -> None:
    assert plan(upkeep, observed).kind is action


@pytest.mark.parametrize(
    ("upkeep", "asked"),
    [
        (Upkeep(), False),
        (Upkeep(written_at=NOW), False),
        (Upkeep(coverage=Coverage.WRITTEN), True),
        (Upkeep(coverage=Coverage.CONFIGURED), True),
        (Upkeep(coverage=Coverage.BLOCKED), False),
        (Upkeep(coverage=Coverage.BLOCKED, written_at=NOW), True),
    ],
)
def test_azure_is_asked_first_only_for_what_may_be_there(upkeep: Upkeep, asked: bool) -> None:
    assert was_written(upkeep) is asked


def test_a_repair_says_which_fields_drifted() -> None:
    assert plan(Upkeep(), Observed(read=True, exists=True, drift=_DRIFT)).why == "hub, categories"


@given(_rows, _observed)
def test_what_is_as_wanted_is_never_written(upkeep: Upkeep, observed: Observed) -> None:
    action = plan(upkeep, observed)
    writes = action.kind in (ActionKind.CREATE, ActionKind.REPAIR)
    assert not (writes and observed.read and observed.exists and not observed.drift)


def test_a_sweep_rolls_so_that_not_everything_is_due_at_once() -> None:
    row = Upkeep(coverage=Coverage.CONFIGURED, verified_at=NOW)
    half = NOW + timedelta(seconds=_SETTINGS.sweep_seconds * 3 // 4)
    assert not any(is_due(row, _SETTINGS, NOW + timedelta(seconds=1799), key) for key in _KEYS)
    assert 800 < sum(is_due(row, _SETTINGS, half, key) for key in _KEYS) < 1200


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(Upkeep(coverage=Coverage.PENDING), True, id="pending"),
        pytest.param(Upkeep(coverage=Coverage.BLOCKED), True, id="blocked"),
        pytest.param(Upkeep(coverage=Coverage.EXCLUDED), False, id="excluded"),
        pytest.param(Upkeep(coverage=Coverage.GONE), False, id="gone"),
        pytest.param(
            Upkeep(coverage=Coverage.WRITTEN, written_at=NOW - timedelta(seconds=59)),
            False,
            id="just written",
        ),
        pytest.param(
            Upkeep(coverage=Coverage.WRITTEN, written_at=NOW - timedelta(seconds=60)),
            True,
            id="written a while ago",
        ),
        pytest.param(Upkeep(coverage=Coverage.WRITTEN), True, id="written, nobody knows when"),
        pytest.param(
            Upkeep(coverage=Coverage.CONFIGURED, verified_at=NOW - timedelta(seconds=1799)),
            False,
            id="verified of late",
        ),
        pytest.param(
            Upkeep(coverage=Coverage.CONFIGURED, verified_at=NOW - timedelta(seconds=3600)),
            True,
            id="verified too long ago",
        ),
        pytest.param(Upkeep(coverage=Coverage.CONFIGURED), True, id="configured, never verified"),
    ],
)
def test_a_cycle_looks_after_what_is_due(row: Upkeep, expected: bool) -> None:
    assert is_due(row, _SETTINGS, NOW, _LATEST) is expected


@pytest.mark.parametrize("coverage", [coverage for coverage in Coverage if Upkeep(coverage=coverage).kept])
def test_everything_watched_is_due_at_least_once_in_a_sweep(coverage: Coverage) -> None:
    row = Upkeep(coverage=coverage, written_at=NOW, verified_at=NOW)
    late = NOW + timedelta(seconds=_SETTINGS.sweep_seconds)
    assert all(is_due(row, _SETTINGS, late, key) for key in (_LATEST, _EARLIEST))


@pytest.mark.parametrize("written", [CREATED, REPAIRED])
def test_a_write_is_not_yet_a_configured_setting(written: Outcome) -> None:
    row = settled(Upkeep(writes=1), written, NOW, stamp(2))
    assert (row.coverage, row.writes, row.written_at, row.verified_at) == (Coverage.WRITTEN, 2, NOW, None)


def test_only_a_read_back_makes_a_setting_configured() -> None:
    row = settled(Upkeep(coverage=Coverage.WRITTEN, writes=2), UNCHANGED, NOW, stamp(2))
    assert (row.coverage, row.writes, row.verified_at, row.reason) == (Coverage.CONFIGURED, 0, NOW, None)


def test_what_is_blocked_has_its_reason_and_what_azure_said() -> None:
    row = settled(Upkeep(), blocked(Reason.ROLE_MISSING, "403 ..."), NOW, stamp(2))
    assert (row.coverage, row.reason, row.detail) == (Coverage.BLOCKED, Reason.ROLE_MISSING, "403 ...")


@given(_rows, _outcomes)
def test_a_row_has_a_reason_exactly_when_it_is_blocked(row: Upkeep, outcome: Outcome) -> None:
    after = settled(row, outcome, NOW, stamp(2))
    assert (after.reason is not None) == (after.coverage is Coverage.BLOCKED)


@given(_rows, _outcomes, st.sampled_from([stamp(1), stamp(3), stamp(9)]))
def test_an_outcome_never_turns_the_newest_cycle_back(row: Upkeep, outcome: Outcome, cycle: str) -> None:
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
    assert is_stale(Upkeep(handled=handled), a_job(cycle=stamp(5), cause=cause)) is stale
