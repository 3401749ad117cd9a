"""Hubs that nothing needs any more: when they drain, when they do not, and when they go."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from local.azure.estate import Customer, add_customer
from local.azure.faults import Fault, FaultKind
from local.azure.hands import Hands
from shared.model.captures import CaptureState
from shared.model.hubs import HubAssignment, HubState
from shared.model.integration import Integration
from shared.model.jobs import Step
from shared.model.reasons import Reason
from shared.store.captures import CaptureStore
from shared.store.ledger import LedgerEntry
from shared.store.tables import Stored
from shared.sync.draining import is_over, plan_drains
from shared.sync.hub_plans import due_namespaces
from tests.helpers.facts import INTEGRATION, NOW, an_assignment, settings
from tests.helpers.lab import Lab
from tests.helpers.swift_lab import open_swift_lab

_SETTINGS = settings(LIGHTKEEPER_SWEEP_SECONDS="3600", LIGHTKEEPER_DRAIN_SECONDS="1000")
_SWEEP = timedelta(seconds=3600)
_DRAIN = timedelta(seconds=1000)
_HERE = an_assignment(state=HubState.READY, verified_at=NOW)


def _plan(
    row: HubAssignment, *regions: str, listed: bool = True, integration_id: str = INTEGRATION
) -> HubAssignment:
    (after,) = plan_drains(
        [row],
        {integration_id: frozenset(regions)},
        listed=[INTEGRATION] if listed else [],
        settings=_SETTINGS,
        now=NOW,
    )
    return after


def test_a_hub_that_is_needed_stays_as_it_is() -> None:
    assert _plan(_HERE, "westeurope", "eastus") == _HERE


def test_a_hub_that_nothing_needs_is_unwanted_at_first_and_nothing_more() -> None:
    assert _plan(_HERE, "eastus") == replace(_HERE, unwanted_since=NOW)


def test_it_drains_after_a_whole_sweep() -> None:
    unwanted = replace(_HERE, unwanted_since=NOW - _SWEEP)
    after = _plan(unwanted, "eastus")
    assert (after.state, after.drains_until) == (HubState.DRAINING, NOW + _DRAIN)
    not_yet = replace(_HERE, unwanted_since=NOW - _SWEEP + timedelta(seconds=1))
    assert _plan(not_yet, "eastus") == not_yet


def test_it_does_not_drain_while_a_listing_is_not_complete() -> None:
    unwanted = replace(_HERE, unwanted_since=NOW - 5 * _SWEEP)
    assert _plan(unwanted, "eastus", listed=False) == unwanted


@pytest.mark.parametrize("state", [HubState.ASSIGNED, HubState.CREATING, HubState.BLOCKED])
def test_how_far_a_hub_has_come_does_not_matter(state: HubState) -> None:
    after = _plan(replace(_HERE, state=state, unwanted_since=NOW - _SWEEP), "eastus")
    assert after.state is HubState.DRAINING


def test_wanted_again_it_is_looked_at_and_taken_up() -> None:
    unwanted = replace(_HERE, unwanted_since=NOW - _SWEEP)
    assert _plan(unwanted, "westeurope") == _HERE
    draining = replace(unwanted, state=HubState.DRAINING, drains_until=NOW + _DRAIN)
    assert _plan(draining, "westeurope") == replace(_HERE, state=HubState.ASSIGNED, verified_at=None)


def test_what_is_being_deleted_is_not_taken_up_again() -> None:
    removing = replace(_HERE, state=HubState.REMOVING, drains_until=NOW)
    assert _plan(removing, "westeurope") == removing


def test_hubs_of_integrations_that_are_not_kept_are_left_to_others() -> None:
    assert _plan(_HERE, "eastus", integration_id="another") == _HERE


@pytest.mark.parametrize(
    ("state", "until", "over"),
    [
        (HubState.DRAINING, NOW + _DRAIN, False),
        (HubState.DRAINING, NOW, True),
        (HubState.REMOVING, NOW + _DRAIN, True),
        (HubState.READY, None, False),
    ],
)
def test_only_what_has_drained_is_due(state: HubState, until: object, over: bool) -> None:
    row = replace(_HERE, state=state, drains_until=until)  # type: ignore[arg-type]
    assert is_over(row, NOW) is over
    assert bool(due_namespaces([row], _SETTINGS, NOW)) is over


@pytest.fixture
async def sweeping() -> AsyncIterator[Lab]:
    """A lab with sweeps and drains of some minutes, which works off all steps."""
    async with open_swift_lab(LIGHTKEEPER_SWEEP_SECONDS="600", LIGHTKEEPER_DRAIN_SECONDS="1000") as opened:
        opened.steps = tuple(Step)
        yield opened


async def _customer(lab: Lab) -> tuple[Customer, Integration, str]:
    """A customer whose only vault is away from home."""
    customer = add_customer(lab.world, "contoso", 1, regions=("eastus",))
    integration = await lab.integrate("contoso", customer.tenant_id)
    for _ in range(3):
        await lab.cycle()
    (vault,) = [each for each in lab.world.resources if "microsoft.keyvault" in each.lower()]
    assert {region for region, _ in (await _hubs(lab)).items()} == {"eastus", "westeurope"}
    return customer, integration, vault


async def _hubs(lab: Lab) -> dict[str, HubAssignment]:
    return {row.fact.region: row.fact for row in await lab.context.hubs.list()}


async def _cycles(lab: Lab, count: int, seconds: float = 300) -> None:
    for _ in range(count):
        await lab.cycle(seconds=seconds)


async def test_a_hub_goes_when_its_last_resource_has_gone(sweeping: Lab) -> None:
    lab = sweeping
    _, integration, vault = await _customer(lab)
    Hands(lab.azure).act("DELETE", lab.world.resources[vault].resource_id)
    lab.world.clock.move(4000)

    await _cycles(lab, 3)
    assert (await _hubs(lab))["eastus"].state is HubState.READY
    await _cycles(lab, 3)
    hub = (await _hubs(lab))["eastus"]
    assert hub.state is HubState.DRAINING
    assert ("lightkeeper-eastus-1", "contoso") in lab.world.hubs

    await _cycles(lab, 5)
    assert set(await _hubs(lab)) == {"westeurope"}
    assert set(lab.world.hubs) == {("lightkeeper-westeurope-1", "contoso")}
    assert [each for each in await lab.problems(integration) if "eastus" in each.where] == []


async def test_a_resource_that_comes_back_in_time_finds_its_hub(sweeping: Lab) -> None:
    lab = sweeping
    _, _, vault = await _customer(lab)
    body = lab.world.resources[vault]
    Hands(lab.azure).act("DELETE", body.resource_id)
    lab.world.clock.move(4000)
    await _cycles(lab, 6)
    assert (await _hubs(lab))["eastus"].state is HubState.DRAINING

    lab.world.add_resource(body)
    lab.world.settings.pop(vault, None)
    await _cycles(lab, 2)

    hub = (await _hubs(lab))["eastus"]
    assert (hub.state, hub.unwanted_since, hub.drains_until) == (HubState.READY, None, None)
    assert "lightkeeper-logs" in lab.world.settings[vault]
    await _cycles(lab, 6)
    assert "eastus" in await _hubs(lab)


async def _begin(lab: Lab, hub: HubAssignment) -> Stored[LedgerEntry]:
    """Let somebody begin to handle a capture file of a hub; its name is spelled as nobody else does."""
    now = lab.context.clock()
    source = f"{hub.namespace.upper()}/{hub.hub.title()}/0/{now:%Y/%m/%d/%H/%M/%S}.avro"
    row = LedgerEntry(hub.integration_id, "begun", now, source, CaptureState.LEASED)
    return await CaptureStore(lab.storage).begin(row, now)


async def _end(lab: Lab, begun: Stored[LedgerEntry]) -> None:
    done = replace(begun.fact, state=CaptureState.DONE, leased_until=None)
    await CaptureStore(lab.storage).finish(done, begun)


async def _leave(lab: Lab, state: HubState) -> HubAssignment:
    """Let the draining of the hub that is away from home be over."""
    (row,) = [row for row in await lab.context.hubs.list() if row.fact.region == "eastus"]
    now = lab.context.clock()
    leaving = replace(row.fact, state=state, unwanted_since=now, drains_until=now)
    await lab.context.hubs.save([replace(row, fact=leaving)])
    return leaving


async def test_a_drained_hub_stays_until_its_capture_files_are_done(sweeping: Lab) -> None:
    lab = sweeping
    _, _, vault = await _customer(lab)
    Hands(lab.azure).act("DELETE", lab.world.resources[vault].resource_id)
    lab.world.clock.move(4000)
    await _cycles(lab, 6)
    hub = (await _hubs(lab))["eastus"]
    assert hub.state is HubState.DRAINING
    begun = await _begin(lab, hub)

    await _cycles(lab, 10)
    assert (await _hubs(lab))["eastus"] == hub
    assert ("lightkeeper-eastus-1", "contoso") in lab.world.hubs

    await _end(lab, begun)
    await _cycles(lab, 2)
    assert set(await _hubs(lab)) == {"westeurope"}
    assert set(lab.world.hubs) == {("lightkeeper-westeurope-1", "contoso")}


async def test_whose_a_hub_was_is_known_until_files_that_were_begun_meanwhile_are_done(sweeping: Lab) -> None:
    lab = sweeping
    await _customer(lab)
    begun = await _begin(lab, await _leave(lab, HubState.REMOVING))

    for _ in range(3):
        await lab.cycle(Step.EVENT_HUBS)
        assert (await _hubs(lab))["eastus"].state is HubState.REMOVING
    assert set(lab.world.hubs) == {("lightkeeper-westeurope-1", "contoso")}

    await _end(lab, begun)
    await lab.run(lab.job(Step.EVENT_HUBS, target="eastus/lightkeeper-eastus-1"))
    assert set(await _hubs(lab)) == {"westeurope"}


async def test_capture_files_of_other_hubs_do_not_matter(sweeping: Lab) -> None:
    lab = sweeping
    await _customer(lab)
    await _begin(lab, (await _hubs(lab))["westeurope"])
    await _leave(lab, HubState.DRAINING)
    await lab.run(lab.job(Step.EVENT_HUBS, target="eastus/lightkeeper-eastus-1"))
    assert (await _hubs(lab))["eastus"].state is HubState.REMOVING


async def test_nothing_drains_while_listings_fail(sweeping: Lab) -> None:
    lab = sweeping
    _, _, vault = await _customer(lab)
    lab.azure.faults.switch_on("down", Fault(FaultKind.ERROR_503, "", "/resources"))
    lab.azure.faults.switch_on(
        "graph", Fault(FaultKind.ERROR_503, "POST", "/providers/Microsoft.ResourceGraph")
    )
    lab.world.resources.pop(vault)

    await _cycles(lab, 10)

    assert (await _hubs(lab))["eastus"].state is HubState.READY


async def test_a_deletion_that_is_refused_is_a_problem_until_it_works(sweeping: Lab) -> None:
    lab = sweeping
    _, integration, _ = await _customer(lab)
    grants = set(lab.world.grants)
    await _leave(lab, HubState.REMOVING)
    lab.world.grants.clear()

    await lab.cycle(Step.EVENT_HUBS)
    (problem,) = [each for each in await lab.problems(integration) if "eastus" in each.where]
    assert problem.reason is Reason.ROLE_MISSING

    lab.world.grants |= grants
    await _cycles(lab, 2)
    assert [each for each in await lab.problems(integration) if "eastus" in each.where] == []


async def test_a_place_is_free_only_when_the_hub_in_it_is_gone() -> None:
    variables = {"LIGHTKEEPER_HUBS_PER_NAMESPACE": "1", "LIGHTKEEPER_DRAIN_SECONDS": "1000"}
    async with open_swift_lab(**variables) as lab:
        first = await lab.integrate("contoso", add_customer(lab.world, "contoso", 1).tenant_id)
        await lab.cycle()
        (row,) = await lab.context.hubs.list()
        until = lab.context.clock() + timedelta(seconds=1000)
        await lab.context.hubs.save(
            [replace(row, fact=replace(row.fact, state=HubState.REMOVING, drains_until=until))]
        )

        await lab.integrate("fabrikam", add_customer(lab.world, "fabrikam", 1).tenant_id)
        await lab.run(lab.job(Step.EVENT_HUBS))
        shards = {each.fact.customer: each.fact.shard for each in await lab.context.hubs.list()}
        assert shards == {"contoso": 1, "fabrikam": 2}

        await lab.cycle(Step.EVENT_HUBS)
        await lab.cycle(Step.EVENT_HUBS)
        hubs = {each.fact.customer: each.fact for each in await lab.context.hubs.list()}
        assert (hubs["contoso"].integration_id, hubs["contoso"].shard) == (first.id, 1)
        assert hubs["contoso"].state is HubState.READY
