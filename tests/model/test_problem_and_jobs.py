"""Problems are the same at the same place; jobs come back as themselves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.jobs import Phase, Step, cycle_stamp
from shared.model.outcome import CREATED, REMOVED, REPAIRED, UNCHANGED, Outcome, blocked, deferred
from shared.model.problem import Problem
from shared.model.reasons import EXPLANATIONS, Reason
from tests.helpers.facts import INTEGRATION, NOW, a_job

_PROBLEM = Problem(INTEGRATION, Reason.ROLE_MISSING, "Sub-1", "403", NOW)


def test_a_problem_is_the_same_whenever_and_however_it_is_seen() -> None:
    assert _PROBLEM.id == replace(_PROBLEM, since=NOW + timedelta(days=1), detail="other").id
    assert _PROBLEM.id == replace(_PROBLEM, where="sub-1").id


@pytest.mark.parametrize("change", [{"integration_id": "x"}, {"reason": Reason.OVER_CAP}, {"where": "sub-2"}])
def test_another_place_or_reason_is_another_problem(change: dict[str, object]) -> None:
    assert _PROBLEM.id != replace(_PROBLEM, **change).id  # type: ignore[arg-type]


def test_a_problem_knows_its_remedy() -> None:
    assert _PROBLEM.remedy == EXPLANATIONS[Reason.ROLE_MISSING].remedy


@given(
    st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
    st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_stamps_sort_as_the_moments_they_stand_for(one: datetime, other: datetime) -> None:
    assert (cycle_stamp(one) < cycle_stamp(other)) == (one < other)


def test_a_stamp_reads_as_a_time() -> None:
    assert cycle_stamp(NOW) == "20261121T120000.000000Z"


def test_each_step_has_a_queue_of_its_own() -> None:
    assert [step.queue for step in Step] == [
        "sync-subscriptions",
        "sync-subscription-settings",
        "sync-resources",
        "sync-resource-settings",
        "sync-workspace-exports",
        "sync-event-hubs",
        "sync-alert-exports",
        "sync-offboarding",
    ]


def test_a_job_that_comes_back_differs_only_in_its_attempt() -> None:
    job = a_job(phase=Phase.TARGET)
    assert job.again().again() == replace(job, attempt=2)


@pytest.mark.parametrize(
    ("outcome", "done"),
    [
        (UNCHANGED, True),
        (CREATED, True),
        (REPAIRED, True),
        (REMOVED, True),
        (deferred(NOW), False),
        (blocked(Reason.REFUSED, "400"), False),
    ],
)
def test_only_what_is_deferred_or_blocked_is_not_done(outcome: Outcome, done: bool) -> None:
    assert outcome.done is done
