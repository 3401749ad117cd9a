"""Offboarding: what we made goes, what others made stays, and what cannot be removed is reported."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from local.azure.estate import Customer, add_customer, delegation_to_provider
from local.azure.faults import Fault, FaultKind
from local.azure.hands import Hands
from local.azure.roles import SECURITY_ADMIN
from local.azure.world import Resource, Setting
from shared.model.integration import Integration, IntegrationStatus
from shared.model.jobs import Phase, Step
from shared.model.reasons import Reason
from shared.model.removal import Removal, RemovalKind, RemovalState
from shared.model.upkeep import Coverage
from shared.portal.commands import Commands
from shared.store.tables import ConflictError
from tests.helpers.facts import an_integration
from tests.helpers.lab import Lab
from tests.helpers.swift_lab import open_swift_lab

_DRAIN = 1000
_SETTING = "Lightkeeper-Logs"
_FOREIGN_HUB = (
    "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/g/providers/Microsoft.EventHub"
    "/namespaces/theirs/authorizationRules/all"
)


async def _watched(lab: Lab, name: str = "contoso", subscriptions: int = 2) -> tuple[Customer, Integration]:
    """A customer of whom everything is watched: subscriptions, vaults, a workspace, alerts."""
    lab.steps = tuple(Step)
    customer = add_customer(lab.world, name, subscriptions, regions=("westeurope",))
    for subscription in customer.delegated:
        delegation = delegation_to_provider(lab.world)
        grants = delegation.grants | {(lab.world.app.object_id, SECURITY_ADMIN.name)}
        lab.world.change_subscription(subscription, delegations=(replace(delegation, grants=grants),))
        lab.world.add_group(subscription, "LightkeeperAutomation", "westeurope")
    begin = f"/subscriptions/{customer.delegated[0]}/resourceGroups/{name}-rg/providers"
    workspace = f"{begin}/Microsoft.OperationalInsights/workspaces/logs"
    lab.world.add_resource(Resource(workspace, "Microsoft.OperationalInsights/workspaces", "westeurope"))
    integration = an_integration(
        id=lab.world.guid(),
        customer=name,
        tenant_id=customer.tenant_id,
        workspace_resource_id=workspace,
        created_at=lab.world.clock.now(),
    )
    await lab.context.integrations.register(integration)
    for _ in range(3):
        await lab.cycle()
    return customer, integration


def _commands(lab: Lab) -> Commands:
    context = lab.context
    return Commands(
        integrations=context.integrations,
        claims=context.claims,
        problems=context.problems,
        jobs=context,
        clock=context.clock,
    )


async def _offboard(lab: Lab, integration: Integration) -> None:
    assert (await _commands(lab).offboard(integration.id)).status == 202
    await lab.send(lab.job(Step.OFFBOARDING, "", integration.id))
    await lab.drain()


async def _to_the_end(lab: Lab) -> None:
    for _ in range(6):
        await lab.cycle(seconds=_DRAIN)


async def _status(lab: Lab, integration: Integration) -> IntegrationStatus:
    found = await lab.context.integrations.get(integration.id)
    assert found is not None
    return found.status


async def _removals(lab: Lab, integration: Integration) -> list[Removal]:
    return [row.fact for row in await lab.context.removals.list(integration.id)]


def _ours(lab: Lab) -> list[str]:
    world = lab.world
    settings = [f"{scope} {name}" for scope, named in world.settings.items() for name in named]
    rules = [f"{scope} {name}" for scope, named in world.exports.items() for name in named]
    return sorted(each for each in [*settings, *rules, *world.automations] if "lightkeeper" in each.lower())


@pytest.fixture
async def draining_lab():  # noqa: ANN201 - an async generator of `Lab`
    async with open_swift_lab(LIGHTKEEPER_DRAIN_SECONDS=str(_DRAIN)) as opened:
        yield opened


async def test_everything_of_ours_goes_and_the_report_says_so(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab)
    assert len(_ours(lab)) == 2 + 2 + 1 + 2
    foreign = Setting("theirs", {"eventHubAuthorizationRuleId": _FOREIGN_HUB, "logs": []}, frozenset())
    lab.world.settings[f"/subscriptions/{customer.delegated[0]}"]["theirs"] = foreign

    await _offboard(lab, integration)
    await lab.cycle()

    assert _ours(lab) == []
    assert lab.world.settings[f"/subscriptions/{customer.delegated[0]}"] == {"theirs": foreign}
    removals = await _removals(lab, integration)
    assert {removal.state for removal in removals} == {RemovalState.REMOVED}
    assert sorted(removal.kind for removal in removals) == sorted(
        [
            *[RemovalKind.SUBSCRIPTION_SETTING, RemovalKind.RESOURCE_SETTING, RemovalKind.ALERT_EXPORT] * 2,
            RemovalKind.EXPORT_RULE,
        ]
    )
    assert await _status(lab, integration) is IntegrationStatus.OFFBOARDING


async def test_hubs_go_after_their_drain_and_only_then_the_slug_is_free(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab, subscriptions=1)
    await _offboard(lab, integration)
    await lab.cycle()
    assert ("lightkeeper-westeurope-1", "contoso") in lab.world.hubs
    found = await lab.context.hubs.find("lightkeeper-westeurope-1", "contoso")
    assert found is not None
    assert found.integration_id == integration.id

    await _to_the_end(lab)

    assert lab.world.hubs == {}
    assert await lab.context.hubs.list() == []
    assert "lightkeeper-westeurope-1" in lab.world.namespaces
    assert await _status(lab, integration) is IntegrationStatus.OFFBOARDED
    again = an_integration(id=lab.world.guid(), tenant_id=customer.tenant_id)
    await lab.context.integrations.register(again)
    assert [each.id for each in await lab.context.integrations.list()] == [again.id]
    assert len(await lab.context.integrations.list_all()) == 2


async def test_no_step_works_for_it_any_more(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab, subscriptions=1)
    await _offboard(lab, integration)
    before = lab.azure.counts.by_kind.copy()

    for step in (Step.SUBSCRIPTION_SETTINGS, Step.RESOURCE_SETTINGS, Step.ALERT_EXPORTS, Step.RESOURCES):
        await lab.run(lab.job(step, customer.delegated[0], integration.id))
        await lab.run(lab.job(step, "", integration.id))
    await lab.cycle(*(step for step in Step if step not in (Step.OFFBOARDING, Step.SUBSCRIPTIONS)))

    assert _ours(lab) == []
    assert lab.azure.counts.by_kind == before


async def test_its_tenant_is_unknown_only_when_it_is_over(draining_lab: Lab) -> None:
    lab = draining_lab
    _, integration = await _watched(lab, subscriptions=1)
    await _offboard(lab, integration)
    await lab.cycle()
    assert await lab.problems() == []
    await _to_the_end(lab)
    assert [problem.reason for problem in await lab.problems()] == [Reason.UNKNOWN_TENANT]


async def test_what_was_written_meanwhile_is_found_at_the_end(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab, subscriptions=1)
    scope = f"/subscriptions/{customer.delegated[0]}"
    late = lab.world.settings[scope].copy()
    await _offboard(lab, integration)
    await lab.cycle()
    lab.world.settings[scope] = late

    await _to_the_end(lab)

    assert _ours(lab) == []
    assert await _status(lab, integration) is IntegrationStatus.OFFBOARDED


async def test_a_refusal_is_reported_and_does_not_hold_up_the_end(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab)
    first, second = customer.delegated
    lab.world.change_subscription(first, delegations=())
    await _offboard(lab, integration)
    calls = lab.calls("diagnosticSettings")
    await lab.cycle()
    assert lab.calls("diagnosticSettings") == calls

    removals = await _removals(lab, integration)
    assert {(each.subscription_id, each.state, each.reason) for each in removals} == {
        (first, RemovalState.BLOCKED, Reason.NOT_DELEGATED),
        (second, RemovalState.REMOVED, None),
    }
    assert {problem.reason for problem in await lab.problems(integration)} == {Reason.NOT_DELEGATED}

    await _to_the_end(lab)
    assert await _status(lab, integration) is IntegrationStatus.OFFBOARDED
    assert await lab.problems(integration) == []
    blocked = [each for each in await _removals(lab, integration) if each.reason is not None]
    assert len(blocked) == len([each for each in _ours(lab) if first in each])


async def test_delegation_that_returns_in_time_lets_the_rest_go(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab, subscriptions=1)
    (subscription,) = customer.delegated
    delegations = lab.world.subscriptions[subscription].delegations
    lab.world.change_subscription(subscription, delegations=())
    await _offboard(lab, integration)
    assert _ours(lab) != []
    lab.world.change_subscription(subscription, delegations=delegations)

    await _to_the_end(lab)

    assert _ours(lab) == []


async def test_a_role_that_is_missing_is_named(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab, subscriptions=1)
    lab.world.change_subscription(customer.delegated[0], delegations=(delegation_to_provider(lab.world),))

    await _offboard(lab, integration)

    (blocked,) = [each for each in await _removals(lab, integration) if each.reason is not None]
    assert (blocked.kind, blocked.reason) == (RemovalKind.ALERT_EXPORT, Reason.ROLE_MISSING)
    assert "Security Admin" in blocked.detail


async def test_an_object_of_our_name_that_sends_elsewhere_is_left_alone(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab, subscriptions=1)
    scope = f"/subscriptions/{customer.delegated[0]}"
    Hands(lab.azure).write_setting(
        scope,
        _SETTING,
        {"workspaceId": integration.workspace_resource_id, "logs": [{"category": "Alert", "enabled": True}]},
    )

    await _offboard(lab, integration)

    (blocked,) = [each for each in await _removals(lab, integration) if each.reason is not None]
    assert (blocked.scope, blocked.reason) == (scope, Reason.NOT_OURS)
    assert _SETTING.lower() in lab.world.settings[scope]


async def test_what_azure_keeps_after_every_deletion_is_reported(draining_lab: Lab) -> None:
    lab = draining_lab
    _, integration = await _watched(lab, subscriptions=1)
    lab.azure.faults.switch_on("kept", Fault(FaultKind.KEEP_NOTHING, "DELETE", "/diagnosticSettings/"))

    await _offboard(lab, integration)

    reasons = {each.kind: each.reason for each in await _removals(lab, integration)}
    assert reasons[RemovalKind.SUBSCRIPTION_SETTING] is Reason.KEEPS_EVERYTHING
    assert reasons[RemovalKind.EXPORT_RULE] is None


async def test_throttling_and_outages_are_waited_out(draining_lab: Lab) -> None:
    lab = draining_lab
    _, integration = await _watched(lab)
    for number, kind in enumerate((FaultKind.ERROR_503, FaultKind.THROTTLED, FaultKind.ERROR_500)):
        lab.azure.faults.switch_on(f"fault-{number}", Fault(kind, "DELETE", "", calls=2))

    await _offboard(lab, integration)
    for _ in range(4):
        await lab.cycle()

    assert _ours(lab) == []
    assert {each.state for each in await _removals(lab, integration)} == {RemovalState.REMOVED}


async def test_jobs_that_come_twice_late_and_beside_each_other_change_nothing(draining_lab: Lab) -> None:
    lab = draining_lab
    customer, integration = await _watched(lab)
    await _commands(lab).offboard(integration.id)
    plan = lab.job(Step.OFFBOARDING, "", integration.id)
    targets = [replace(plan, phase=Phase.TARGET, target=each) for each in customer.delegated]

    async def run(job: object) -> None:
        with suppress(ConflictError):
            await lab.run(job)  # type: ignore[arg-type]

    await run(plan)
    await asyncio.gather(*(run(job) for job in [plan, *targets, *targets, plan]))
    await lab.drain()
    await _to_the_end(lab)
    await asyncio.gather(*(run(job) for job in [plan, *targets]))

    assert _ours(lab) == []
    assert await _status(lab, integration) is IntegrationStatus.OFFBOARDED


async def test_asking_twice_answers_with_the_same_state(draining_lab: Lab) -> None:
    lab = draining_lab
    _, integration = await _watched(lab, subscriptions=1)
    commands = _commands(lab)

    answers = await asyncio.gather(*(commands.offboard(integration.id) for _ in range(4)))
    await lab.drain()
    await _to_the_end(lab)
    at_the_end = await commands.offboard(integration.id)

    assert {answer.status for answer in [*answers, at_the_end]} == {202}
    assert len({answer.body for answer in answers}) == 1
    assert '"offboarded"' in at_the_end.body


async def test_one_customer_goes_and_the_other_stays(draining_lab: Lab) -> None:
    lab = draining_lab
    _, leaving = await _watched(lab, "contoso", 1)
    _, staying = await _watched(lab, "fabrikam", 1)

    await _offboard(lab, leaving)
    await _to_the_end(lab)

    assert set(lab.world.hubs) == {("lightkeeper-westeurope-1", "fabrikam")}
    assert set((await lab.coverages(staying)).values()) == {Coverage.CONFIGURED}
    assert await _status(lab, staying) is IntegrationStatus.ACTIVE
    assert await lab.problems(staying) == []
