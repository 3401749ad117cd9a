"""Problems: since when, at which place, and over only when they are."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.model.problem import PROVIDER, Problem
from shared.model.reasons import Reason
from shared.store.problems import ProblemStore
from shared.store.storage import Storage
from tests.helpers.facts import INTEGRATION, NOW

_LATER = NOW + timedelta(hours=1)
_PROBLEM = Problem(INTEGRATION, Reason.ROLE_MISSING, "Sub-1", "403", NOW)


@pytest.fixture
def store(storage: Storage) -> ProblemStore:
    return ProblemStore(storage)


async def test_a_problem_is_listed_as_it_was_reported(store: ProblemStore) -> None:
    await store.report(_PROBLEM)
    assert await store.list(INTEGRATION) == [_PROBLEM]


async def test_a_problem_that_lasts_keeps_the_moment_it_was_first_seen(store: ProblemStore) -> None:
    await store.report(_PROBLEM)
    await store.report(replace(_PROBLEM, since=_LATER))
    assert await store.list(INTEGRATION) == [_PROBLEM]


async def test_a_new_detail_is_taken_down_and_the_moment_stays(store: ProblemStore) -> None:
    await store.report(_PROBLEM)
    await store.report(replace(_PROBLEM, since=_LATER, detail="403 again"))
    assert await store.list(INTEGRATION) == [replace(_PROBLEM, detail="403 again")]


async def test_a_place_in_another_case_is_the_same_place(store: ProblemStore) -> None:
    await store.report(_PROBLEM)
    await store.report(replace(_PROBLEM, where="SUB-1", since=_LATER))
    assert len(await store.list(INTEGRATION)) == 1
    await store.settle(INTEGRATION, "sub-1", _LATER, None)
    assert await store.list(INTEGRATION) == []


async def test_a_settled_problem_is_over(store: ProblemStore) -> None:
    await store.report(_PROBLEM)
    await store.settle(INTEGRATION, "Sub-1", _LATER, None)
    assert await store.list(INTEGRATION) == []


async def test_a_problem_that_returns_begins_anew(store: ProblemStore) -> None:
    await store.report(_PROBLEM)
    await store.settle(INTEGRATION, "Sub-1", _LATER, None)
    again = replace(_PROBLEM, since=_LATER + timedelta(hours=1))
    await store.report(again)
    assert await store.list(INTEGRATION) == [again]


async def test_settling_leaves_what_lasts_and_what_is_elsewhere(store: ProblemStore) -> None:
    lasting = replace(_PROBLEM, reason=Reason.SETTING_LIMIT_REACHED)
    elsewhere = replace(_PROBLEM, where="Sub-2")
    of_another = replace(_PROBLEM, integration_id=PROVIDER)
    for problem in (_PROBLEM, lasting, elsewhere, of_another):
        await store.report(problem)

    await store.settle(INTEGRATION, "Sub-1", _LATER, Reason.SETTING_LIMIT_REACHED)

    assert {problem.id for problem in await store.list(INTEGRATION)} == {lasting.id, elsewhere.id}
    assert await store.list(PROVIDER) == [of_another]


async def test_settling_where_nothing_is_wrong_does_nothing(store: ProblemStore) -> None:
    await store.settle(INTEGRATION, "Sub-1", NOW, None)
    assert await store.list(INTEGRATION) == []


async def test_problems_are_listed_oldest_first(store: ProblemStore) -> None:
    problems = [replace(_PROBLEM, where=f"Sub-{n}", since=NOW - timedelta(minutes=n)) for n in range(5)]
    for problem in problems:
        await store.report(problem)
    assert await store.list(INTEGRATION) == problems[::-1]


async def test_everything_but_what_lasts_is_settled_at_once(store: ProblemStore) -> None:
    for reason in Reason:
        await store.report(replace(_PROBLEM, reason=reason))
    await store.settle(INTEGRATION, "Sub-1", _LATER, Reason.REFUSED)
    assert [problem.reason for problem in await store.list(INTEGRATION)] == [Reason.REFUSED]


@pytest.mark.parametrize(
    "where", ["ns/hub", "it's", "a#b?c\\d", "capture/ns/hub/0/2026.avro", "日本", "x" * 900]
)
async def test_any_place_can_have_a_problem(store: ProblemStore, where: str) -> None:
    problem = replace(_PROBLEM, where=where)
    await store.report(problem)
    assert await store.list(INTEGRATION) == [problem]
    await store.settle(INTEGRATION, where, _LATER, None)
    assert await store.list(INTEGRATION) == []
