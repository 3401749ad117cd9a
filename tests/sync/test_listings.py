"""Unknown is not gone: a listing that failed or broke off changes nothing, and absence must last."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from local.azure.estate import Customer, add_customer, delegation_to_provider
from local.azure.faults import Fault, FaultKind
from shared.model.integration import Integration
from shared.model.jobs import Cause, Step
from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.model.subscription import Subscription
from shared.model.upkeep import Coverage
from shared.store.listings import ListingStore
from shared.store.storage import Storage
from shared.store.subscriptions import SubscriptionStore
from shared.store.tables import ConflictError, Stored
from shared.sync.subscriptions import LISTING, SubscriptionsStep
from tests.helpers.lab import Lab


async def _standing(lab: Lab, subscriptions: int = 3) -> tuple[Customer, Integration]:
    """A customer whose subscriptions are all configured."""
    customer = add_customer(lab.world, "contoso", subscriptions)
    integration = await lab.integrate("contoso", customer.tenant_id)
    await lab.cycle()
    assert set((await lab.coverages(integration)).values()) == {Coverage.CONFIGURED}
    return customer, integration


async def _run_once(lab: Lab) -> None:
    """One attempt at a listing; what is put back for later stays on the queue."""
    lab.world.clock.move(60)
    await lab.run(lab.job(Step.SUBSCRIPTIONS))


def _message(lab: Lab, attempt: int = 0) -> bytes:
    cycle = lab.job(Step.SUBSCRIPTIONS).cycle
    text = (
        f'{{"version":1,"kind":"subscriptions:plan","cycle":"{cycle}","reason":"cycle","attempt":{attempt}}}'
    )
    return text.encode()


_FAILURES = [
    pytest.param(Fault(FaultKind.ERROR_500, path="/subscriptions"), Reason.UNREACHABLE, id="500"),
    pytest.param(Fault(FaultKind.ERROR_503, path="/subscriptions"), Reason.UNREACHABLE, id="503"),
    pytest.param(Fault(FaultKind.DROP, path="/subscriptions"), Reason.UNREACHABLE, id="broken connection"),
    pytest.param(
        Fault(FaultKind.ERROR_500, path="/subscriptions", skip=1), Reason.UNREACHABLE, id="second page"
    ),
]


@pytest.mark.parametrize(("fault", "reason"), _FAILURES)
async def test_a_listing_that_fails_changes_nothing_and_is_a_problem_until_one_succeeds(
    lab: Lab, fault: Fault, reason: Reason
) -> None:
    _, integration = await _standing(lab)
    lab.world.page_size = 2
    before = await lab.rows(integration)
    lab.azure.faults.switch_on("listing", fault)

    for _ in range(4):
        await _run_once(lab)

    assert await lab.rows(integration) == before
    (problem,) = await lab.problems()
    assert (problem.reason, problem.where) == (reason, LISTING)

    lab.azure.faults.switch_off("listing")
    await lab.list_subscriptions()
    assert await lab.problems() == []


async def test_a_refused_identity_changes_nothing_and_is_named(lab: Lab) -> None:
    _, integration = await _standing(lab)
    before = await lab.rows(integration)
    lab.world.clock.move(90_000)  # the token's end, by Azure's clock

    await _run_once(lab)

    assert await lab.rows(integration) == before
    (problem,) = await lab.problems()
    assert problem.reason is Reason.IDENTITY_REFUSED


async def test_a_throttled_listing_comes_back_and_is_no_problem(lab: Lab) -> None:
    _, integration = await _standing(lab)
    before = await lab.rows(integration)
    lab.azure.faults.switch_on("busy", Fault(FaultKind.THROTTLED, path="/subscriptions", calls=1, seconds=1))

    await _run_once(lab)

    assert await lab.rows(integration) == before
    assert await lab.problems() == []


async def test_a_listing_without_our_own_subscription_is_no_listing(lab: Lab) -> None:
    _, integration = await _standing(lab)
    before = await lab.rows(integration)
    own = lab.world.subscriptions.pop(lab.world.provider_subscription)

    for _ in range(4):
        await _run_once(lab)

    assert await lab.rows(integration) == before
    (problem,) = await lab.problems()
    assert (problem.reason, problem.where) == (Reason.UNREACHABLE, LISTING)
    assert own.subscription_id in problem.detail

    lab.world.subscriptions[own.subscription_id] = own
    await lab.list_subscriptions()
    assert await lab.problems() == []


@pytest.mark.parametrize("kind", [FaultKind.LOST_NEXT_LINK, FaultKind.EMPTY_PAGE])
async def test_a_listing_that_breaks_off_unnoticed_does_no_harm(lab: Lab, kind: FaultKind) -> None:
    _, integration = await _standing(lab)
    lab.world.page_size = 1
    coverages = await lab.coverages(integration)
    lab.azure.faults.switch_on("torn", Fault(kind, path="/subscriptions", calls=2))

    await lab.list_subscriptions()
    await lab.list_subscriptions()
    assert await lab.coverages(integration) == coverages

    lab.azure.faults.switch_off("torn")
    await lab.list_subscriptions()
    assert await lab.coverages(integration) == coverages


async def test_a_subscription_that_three_complete_listings_miss_is_gone(lab: Lab) -> None:
    customer, integration = await _standing(lab)
    lost = customer.delegated[0]
    del lab.world.subscriptions[lost]

    seen = []
    for _ in range(4):
        await lab.list_subscriptions()
        seen.append((await lab.row(integration, lost)).upkeep.coverage)

    assert seen == [Coverage.CONFIGURED, Coverage.CONFIGURED, Coverage.GONE, Coverage.GONE]
    assert list((await lab.coverages(integration)).values()).count(Coverage.CONFIGURED) == 2


async def test_failed_listings_between_do_not_count(lab: Lab) -> None:
    customer, integration = await _standing(lab)
    lost = customer.delegated[0]
    del lab.world.subscriptions[lost]
    await lab.list_subscriptions()
    await lab.list_subscriptions()

    lab.azure.faults.switch_on("down", Fault(FaultKind.ERROR_503, path="/subscriptions"))
    for _ in range(5):
        await _run_once(lab)
    assert (await lab.row(integration, lost)).upkeep.coverage is Coverage.CONFIGURED

    lab.azure.faults.switch_off("down")
    await lab.list_subscriptions()
    assert (await lab.row(integration, lost)).upkeep.coverage is Coverage.GONE


async def test_a_withdrawn_delegation_is_a_problem_and_a_returned_one_is_covered_again(lab: Lab) -> None:
    customer, integration = await _standing(lab)
    lost = customer.delegated[0]
    lab.world.change_subscription(lost, delegations=())
    for _ in range(3):
        await lab.list_subscriptions()
    row = await lab.row(integration, lost)
    assert (row.upkeep.coverage, row.upkeep.reason) == (Coverage.GONE, Reason.NOT_DELEGATED)
    (problem,) = await lab.problems(integration)
    assert (problem.reason, problem.where) == (Reason.NOT_DELEGATED, lost)

    lab.world.change_subscription(lost, delegations=(delegation_to_provider(lab.world),))
    await lab.list_subscriptions()

    assert (await lab.row(integration, lost)).upkeep.coverage is Coverage.CONFIGURED
    assert await lab.problems(integration) == []


async def test_a_setting_job_that_meets_a_withdrawn_delegation_says_so(lab: Lab) -> None:
    customer, integration = await _standing(lab, 1)
    lab.world.change_subscription(customer.delegated[0], delegations=())

    await lab.cycle(Step.SUBSCRIPTION_SETTINGS, seconds=3601)

    row = await lab.row(integration, customer.delegated[0])
    assert (row.upkeep.coverage, row.upkeep.reason) == (Coverage.BLOCKED, Reason.NOT_DELEGATED)


async def test_the_cap_covers_those_first_seen_and_reports_the_rest(lab: Lab) -> None:
    customer = add_customer(lab.world, "contoso", 2)
    integration = await lab.integrate("contoso", customer.tenant_id, subscription_cap=3)
    await lab.cycle()
    later = add_customer(lab.world, "contoso", 3, tenant_id=customer.tenant_id)

    await lab.cycle()

    coverages = await lab.coverages(integration)
    assert {coverages[each] for each in customer.delegated} == {Coverage.CONFIGURED}
    assert sorted(coverages[each] for each in later.delegated) == ["configured", "excluded", "excluded"]
    problems = await lab.problems(integration)
    assert {problem.reason for problem in problems} == {Reason.OVER_CAP}
    assert len(problems) == 2
    assert lab.calls("PUT", "/diagnosticSettings/") == 3


async def test_a_listing_of_an_overtaken_cycle_ends_at_once(lab: Lab) -> None:
    await _standing(lab)
    old = lab.job(Step.SUBSCRIPTIONS)
    await lab.list_subscriptions()
    listings = lab.calls("GET", "/subscriptions")

    await lab.send(old)
    await lab.drain()

    assert lab.calls("GET", "/subscriptions") == listings


class _Overtaken(ListingStore):
    """A later listing is completed while the first one is on its way."""

    def __init__(self, storage: Storage, later: str) -> None:
        super().__init__(storage)
        self._later = later
        self._reads = 0

    async def read(self, kind: str, scope: str) -> Stored[tuple[str, ...]]:
        self._reads += 1
        if self._reads == 2:
            known = await super().read(kind, scope)
            await self.save(kind, scope, replace(known, fact=(*known.fact, self._later)))
        return await super().read(kind, scope)


async def test_a_listing_that_is_overtaken_on_its_way_changes_nothing(lab: Lab) -> None:
    customer, integration = await _standing(lab)
    del lab.world.subscriptions[customer.delegated[0]]
    before = await lab.rows(integration)
    lab.world.clock.move(60)
    job = lab.job(Step.SUBSCRIPTIONS)
    lab.world.clock.move(60)
    later = lab.job(Step.SUBSCRIPTIONS).cycle
    step = SubscriptionsStep(replace(lab.context, listings=_Overtaken(lab.storage, later)))

    await step.run(job)

    assert await lab.rows(integration) == before
    stored = await lab.context.listings.read(LISTING, LISTING)
    assert job.cycle not in stored.fact
    assert later in stored.fact


async def test_on_a_host_that_is_slow_one_listing_does_for_many_cycles(lab: Lab) -> None:
    await _standing(lab)
    listings = lab.calls("GET", "/subscriptions")
    for _ in range(10):
        lab.world.clock.move(50)
        await lab.context.start(Step.SUBSCRIPTIONS, Cause.CYCLE)

    await lab.drain()

    assert lab.calls("GET", "/subscriptions") == listings + 1


async def test_an_onboarding_job_lists_even_if_a_newer_cycle_did(lab: Lab) -> None:
    await _standing(lab)
    old = lab.job(Step.SUBSCRIPTIONS, cause=Cause.ONBOARDING)
    await lab.list_subscriptions()
    later = add_customer(lab.world, "fabrikam", 1)
    integration = await lab.integrate("fabrikam", later.tenant_id)

    await lab.send(old)
    await lab.drain()

    assert set(await lab.coverages(integration)) == set(later.delegated)


def _with_one_more_write(row: Subscription) -> Subscription:
    return replace(row, upkeep=replace(row.upkeep, writes=row.upkeep.writes + 1))


class _Raced(SubscriptionStore):
    """Another job writes one of the rows just after they were read, so many times."""

    def __init__(self, storage: Storage, times: int) -> None:
        super().__init__(storage)
        self.times = times

    async def list(self, integration_id: str) -> list[Stored[Subscription]]:
        rows = await super().list(integration_id)
        if self.times > 0:
            self.times -= 1
            row = rows[-1]
            await self.save([Stored(_with_one_more_write(row.fact), row.etag)])
        return rows


async def test_rows_that_another_job_writes_meanwhile_are_planned_anew(lab: Lab) -> None:
    _, integration = await _standing(lab)
    raced = _Raced(lab.storage, times=3)
    step = SubscriptionsStep(replace(lab.context, subscriptions=raced))
    lab.world.clock.move(60)
    job = lab.job(Step.SUBSCRIPTIONS)

    await step.run(job)

    rows = await lab.rows(integration)
    assert {row.last_seen for row in rows.values()} == {job.cycle}
    assert sorted(row.upkeep.writes for row in rows.values()) == [0, 0, 3], "what the other job wrote stays"


async def test_rows_that_are_never_left_alone_bring_the_job_back(lab: Lab) -> None:
    _, integration = await _standing(lab)
    raced = _Raced(lab.storage, times=100)
    step = SubscriptionsStep(replace(lab.context, subscriptions=raced))
    lab.world.clock.move(60)
    job = lab.job(Step.SUBSCRIPTIONS)

    with pytest.raises(ConflictError):
        await step.run(job)

    stored = await lab.context.listings.read(LISTING, LISTING)
    assert job.cycle not in stored.fact, "the listing does not count as complete"
    raced.times = 0
    await step.run(job)
    assert {row.last_seen for row in (await lab.rows(integration)).values()} == {job.cycle}


class _EndedError(BaseException):
    """The process ended."""


class _Ending(SubscriptionStore):
    """The process ends right after rows were written."""

    async def save(self, subscriptions: Iterable[Stored[Subscription]]) -> None:
        await super().save(subscriptions)
        raise _EndedError


async def test_a_job_that_ends_right_after_writing_has_noted_its_problems(lab: Lab) -> None:
    customer = add_customer(lab.world, "contoso", 3, disabled=1)
    integration = await lab.integrate("contoso", customer.tenant_id)
    job = lab.job(Step.SUBSCRIPTIONS)
    with pytest.raises(_EndedError):
        await SubscriptionsStep(replace(lab.context, subscriptions=_Ending(lab.storage))).run(job)

    await SubscriptionsStep(lab.context).run(job)

    (problem,) = await lab.problems(integration)
    assert (problem.reason, problem.where) == (Reason.SUBSCRIPTION_DISABLED, customer.disabled[0])


async def test_what_was_noted_of_a_subscription_that_was_never_taken_down_is_over_some_day(lab: Lab) -> None:
    _, integration = await _standing(lab)
    now, nowhere = lab.context.clock(), "00000000-0000-4000-8000-00000000dead"
    problem = Problem(integration.id, Reason.SUBSCRIPTION_DISABLED, nowhere, "", now)
    of_alerts = replace(problem, where=f"{nowhere} alerts")
    for each in (problem, of_alerts):
        await lab.context.problems.report(each)

    await lab.list_subscriptions()
    assert len(await lab.problems(integration)) == 2, "a job may be about to take it down"

    lab.world.clock.move(3600)
    await lab.list_subscriptions()
    assert await lab.problems(integration) == [of_alerts]


async def test_hundreds_of_subscriptions_on_many_pages_are_all_taken_down(lab: Lab) -> None:
    customer = add_customer(lab.world, "contoso", 250, vaults=0)
    integration = await lab.integrate("contoso", customer.tenant_id)
    lab.world.page_size = 40

    await _run_once(lab)

    assert set(await lab.rows(integration)) == set(customer.delegated)
    assert len((await lab.context.listings.read(LISTING, LISTING)).fact) == 1
    assert lab.calls("GET", "/subscriptions") == 7
