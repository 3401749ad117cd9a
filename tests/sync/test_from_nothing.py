"""From nothing to configured, through the real clients, tables and queues."""

import json

from local.azure.estate import add_customer
from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES
from shared.model.hubs import HubState
from shared.model.integration import IntegrationStatus
from shared.model.jobs import Cause, Step
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage
from tests.helpers.facts import GROUP, PROVIDER_SUBSCRIPTION
from tests.helpers.lab import Lab


async def test_a_new_customers_delegated_subscriptions_become_configured(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 5, disabled=1)
    integration = await lab.integrate("contoso", contoso.tenant_id)

    await lab.cycle()

    rows = await lab.rows(integration)
    assert {key for key, row in rows.items() if row.upkeep.coverage is Coverage.CONFIGURED} == set(
        contoso.delegated
    )
    (disabled,) = contoso.disabled
    assert (rows[disabled].upkeep.coverage, rows[disabled].upkeep.reason) == (
        Coverage.EXCLUDED,
        Reason.SUBSCRIPTION_DISABLED,
    )
    for subscription_id in contoso.delegated:
        setting = lab.world.setting(f"/subscriptions/{subscription_id}", "Lightkeeper-Logs")
        assert setting is not None
        assert (setting.hub, setting.enabled) == ("contoso", ACTIVITY_LOG_CATEGORIES)
        assert "/namespaces/lightkeeper-westeurope-1/" in setting.rule_id


async def test_an_integration_is_active_from_its_first_configured_subscription(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 3)
    integration = await lab.integrate("contoso", contoso.tenant_id)

    await lab.cycle()

    found = await lab.context.integrations.get(integration.id)
    assert found is not None
    assert found.status is IntegrationStatus.ACTIVE


async def test_two_customers_have_hubs_of_their_own_in_one_namespace(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 2)
    fabrikam = add_customer(lab.world, "fabrikam", 2)
    await lab.integrate("contoso", contoso.tenant_id)
    await lab.integrate("fabrikam", fabrikam.tenant_id)

    await lab.cycle()

    assert set(lab.world.namespaces) == {"lightkeeper-westeurope-1"}
    assert set(lab.world.hubs) == {
        ("lightkeeper-westeurope-1", "contoso"),
        ("lightkeeper-westeurope-1", "fabrikam"),
    }
    for customer in (contoso, fabrikam):
        for subscription_id in customer.delegated:
            setting = lab.world.setting(f"/subscriptions/{subscription_id}", "Lightkeeper-Logs")
            assert setting is not None
            assert setting.hub == customer.name


async def test_a_hub_captures_to_our_storage_with_our_identity(lab: Lab) -> None:
    await lab.integrate("contoso", add_customer(lab.world, "contoso", 1).tenant_id)

    await lab.cycle()

    hub = lab.world.hub("lightkeeper-westeurope-1", "contoso")
    assert hub is not None
    assert hub.captures
    assert hub.partitions == 4
    assert (
        json.dumps(hub.capture).count(f"/subscriptions/{PROVIDER_SUBSCRIPTION}/resourcegroups/{GROUP}") == 2
    )


async def test_a_customers_home_region_decides_where_the_hub_is(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 1)
    await lab.integrate("contoso", contoso.tenant_id, home_region="uksouth")

    await lab.cycle()

    (namespace,) = lab.world.namespaces.values()
    assert (namespace.name, namespace.location) == ("lightkeeper-uksouth-1", "uksouth")


async def test_eleven_customers_of_one_region_get_two_namespaces(lab: Lab) -> None:
    for number in range(11):
        customer = f"customer-{number:02d}"
        await lab.integrate(customer, add_customer(lab.world, customer, 1, vaults=0).tenant_id)

    await lab.cycle()

    assert set(lab.world.namespaces) == {"lightkeeper-westeurope-1", "lightkeeper-westeurope-2"}
    assert len(lab.world.hubs_of("lightkeeper-westeurope-1")) == 10
    assert [hub.name for hub in lab.world.hubs_of("lightkeeper-westeurope-2")] == ["customer-10"]
    assert {row.fact.state for row in await lab.context.hubs.list()} == {HubState.READY}


async def test_once_everything_stands_a_cycle_reads_little_and_writes_nothing(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 8, disabled=1, not_delegated=1)
    integration = await lab.integrate("contoso", contoso.tenant_id)
    await lab.cycle()
    writes, calls = lab.writes(), lab.azure.counts.by_kind.total()
    before = await lab.coverages(integration)

    await lab.cycle()

    assert lab.writes() == writes
    assert lab.azure.counts.by_kind.total() == calls + 1, "one listing is all that a quiet cycle needs"
    assert await lab.coverages(integration) == before


async def test_a_plan_that_waits_does_for_all_who_ask_for_it(lab: Lab) -> None:
    integration = await lab.integrate("contoso", add_customer(lab.world, "contoso", 3).tenant_id)
    await lab.cycle()
    lab.handled.clear()
    for _ in range(3):
        await lab.context.start(Step.SUBSCRIPTION_SETTINGS, Cause.ONBOARDING, integration.id)

    await lab.drain()
    await lab.context.start(Step.SUBSCRIPTION_SETTINGS, Cause.ONBOARDING, integration.id)
    await lab.drain()

    assert [json.loads(text)["kind"] for text in lab.handled] == ["subscription-settings:plan"] * 2


async def test_a_new_subscription_costs_one_write_and_one_read_back(lab: Lab) -> None:
    await lab.integrate("contoso", add_customer(lab.world, "contoso", 6).tenant_id)

    await lab.cycle()

    assert lab.calls("PUT", "/diagnosticSettings/") == 6
    assert lab.calls("GET", "/diagnosticSettings/") == 6


async def test_a_subscription_that_comes_later_is_configured_in_the_next_cycle(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 1)
    integration = await lab.integrate("contoso", contoso.tenant_id)
    await lab.cycle()
    later = add_customer(lab.world, "contoso", 1, tenant_id=contoso.tenant_id)

    await lab.list_subscriptions()

    assert (await lab.row(integration, later.delegated[0])).upkeep.coverage is Coverage.CONFIGURED


async def test_steps_in_any_order_lead_to_the_same_end(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 3)
    integration = await lab.integrate("contoso", contoso.tenant_id)

    for step in (Step.SUBSCRIPTION_SETTINGS, Step.SUBSCRIPTIONS, Step.EVENT_HUBS):
        await lab.cycle(step)

    assert set((await lab.coverages(integration)).values()) == {Coverage.CONFIGURED}


async def test_every_job_may_run_twice(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 4, disabled=1)
    integration = await lab.integrate("contoso", contoso.tenant_id)
    await lab.cycle()
    before, writes = await lab.coverages(integration), lab.writes()
    messages = [json.loads(text) for text in lab.handled]

    for message in messages:
        step = Step(message["kind"].partition(":")[0])
        await lab.runner.run(step.queue, json.dumps(message).encode())
    await lab.drain()

    assert await lab.coverages(integration) == before
    assert lab.writes() == writes
    assert await lab.problems() == []


async def test_a_tenant_that_nobody_registered_is_reported_and_not_adopted(lab: Lab) -> None:
    stranger = add_customer(lab.world, "stranger", 2)

    await lab.cycle()

    (problem,) = await lab.problems()
    assert (problem.reason, problem.where) == (Reason.UNKNOWN_TENANT, stranger.tenant_id)
    assert lab.writes() == 0


async def test_a_tenant_is_no_longer_unknown_once_it_is_registered(lab: Lab) -> None:
    stranger = add_customer(lab.world, "stranger", 1)
    await lab.list_subscriptions()
    await lab.integrate("stranger", stranger.tenant_id)

    await lab.list_subscriptions()

    assert await lab.problems() == []


async def test_a_tenant_is_no_longer_unknown_once_it_delegates_nothing(lab: Lab) -> None:
    stranger = add_customer(lab.world, "stranger", 1)
    await lab.list_subscriptions()
    lab.world.change_subscription(stranger.delegated[0], delegations=())

    await lab.list_subscriptions()

    assert await lab.problems() == []
