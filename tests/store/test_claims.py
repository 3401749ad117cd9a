"""Claims: which jobs wait on their queues, and which planning jobs came to their end."""

import asyncio
from datetime import timedelta

import pytest

from shared.model.jobs import Cause, Job, Phase
from shared.store.claims import ClaimStore, is_claimed
from shared.store.storage import Storage
from tests.helpers.facts import NOW, a_job, stamp

_UNTIL = NOW + timedelta(seconds=60)


def _plan(cause: Cause = Cause.CYCLE, integration_id: str = "i") -> Job:
    return a_job(phase=Phase.PLAN, cause=cause, integration_id=integration_id, target="")


@pytest.fixture
def claims(storage: Storage) -> ClaimStore:
    return ClaimStore(storage)


@pytest.mark.parametrize("job", [a_job(), a_job(cause=Cause.LOG), _plan(), _plan(Cause.ONBOARDING)])
async def test_a_claim_lasts_until_its_job_begins_or_it_runs_out(claims: ClaimStore, job: Job) -> None:
    assert await claims.claim(job, NOW, _UNTIL)
    assert not await claims.claim(job, NOW, _UNTIL)
    assert await claims.claim(job, _UNTIL, _UNTIL + timedelta(seconds=60))
    await claims.drop(job)
    assert await claims.claim(job, _UNTIL, _UNTIL + timedelta(seconds=60))


async def test_a_job_that_is_wanted_sooner_is_not_left_out(claims: ClaimStore) -> None:
    assert await claims.claim(a_job(), NOW, _UNTIL + timedelta(seconds=300))
    assert await claims.claim(a_job(), NOW, _UNTIL)


@pytest.mark.parametrize("cause", [Cause.ONBOARDING, Cause.OPERATOR])
async def test_what_is_wanted_at_once_does_not_wait_for_the_plan_of_a_cycle(
    claims: ClaimStore, cause: Cause
) -> None:
    assert await claims.claim(_plan(), NOW, _UNTIL)
    assert await claims.claim(_plan(cause), NOW, _UNTIL)


async def test_a_cycle_leaves_out_what_onboarding_does_sooner_and_not_the_other_way_round(
    claims: ClaimStore,
) -> None:
    soon, later = a_job(cause=Cause.ONBOARDING, target="a"), a_job(target="b")
    await claims.claim_all([(soon, _UNTIL), (later, _UNTIL)])
    claimed = await claims.claimed(a_job(), NOW)
    assert is_claimed(a_job(target="a"), claimed)
    assert is_claimed(later, claimed)
    assert not is_claimed(a_job(cause=Cause.ONBOARDING, target="b"), claimed)


async def test_of_those_who_claim_at_once_one_does(claims: ClaimStore) -> None:
    taken = await asyncio.gather(*(claims.claim(_plan(), NOW, _UNTIL) for _ in range(6)))
    assert taken.count(True) == 1


async def test_the_last_plan_is_the_one_that_began_last(claims: ClaimStore) -> None:
    assert await claims.planned(_plan()) == ""
    for number in (2, 3, 1):
        await claims.note_planned(_plan(), stamp(number))
    assert await claims.planned(_plan()) == stamp(3)
    assert await claims.planned(_plan(integration_id="another")) == ""


async def test_plans_that_end_at_once_leave_one_of_their_moments(claims: ClaimStore) -> None:
    await asyncio.gather(*(claims.note_planned(_plan(), stamp(number)) for number in range(6)))
    assert await claims.planned(_plan()) in {stamp(number) for number in range(6)}
