"""Estates come from a seed and a size; the clock is one for all and can be moved."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from local.azure.clock import Clock
from local.azure.estate import generate
from tests.local.azure.azure_bench import PROVIDER, Bench


def test_the_same_seed_makes_the_same_estate() -> None:
    first, second, other = (
        generate(PROVIDER, seed=seed, customers=3, subscriptions=40) for seed in (1, 1, 2)
    )
    assert first.subscriptions == second.subscriptions
    assert first.resources == second.resources
    assert first.subscriptions.keys() != other.subscriptions.keys()


def test_an_estate_has_the_size_that_was_asked_for_and_its_odd_ones() -> None:
    world = generate(PROVIDER, seed=1, customers=3, subscriptions=60)
    customers = [s for s in world.subscriptions.values() if s.tenant_id != PROVIDER.tenant_id]
    assert len(customers) == 180
    assert len([s for s in customers if s.state == "Disabled"]) == 6
    assert len([s for s in customers if not s.delegations]) == 6
    ours = [d for s in customers for d in s.delegations if d.tenant_id == PROVIDER.tenant_id]
    assert len([d for d in ours if d.group]) == 6


def test_some_subscriptions_are_managed_by_others_too(bench: Bench) -> None:
    fifth = bench.world.subscriptions[bench.customer.delegated[4]]
    assert len({delegation.tenant_id for delegation in fifth.delegations}) == 2


def test_a_rich_estate_comes_from_its_seed_alone() -> None:
    first, second, other = (
        generate(PROVIDER, seed=seed, customers=2, subscriptions=30, resources=8) for seed in (1, 1, 2)
    )
    for table in ("subscriptions", "resources", "settings", "exports", "groups"):
        assert getattr(first, table) == getattr(second, table)
        assert getattr(first, table) != getattr(other, table)


def test_a_rich_estate_holds_whatever_customers_have() -> None:
    world = generate(PROVIDER, seed=3, customers=2, subscriptions=150, resources=10)
    resources = list(world.resources.values())
    assert len(resources) == 2 * 150 * 10
    assert len({resource.resource_type.lower() for resource in resources}) > 8
    assert {resource.location for resource in resources} > {"global", "westeurope", "eastus"}
    assert any(resource.resource_type.islower() for resource in resources)
    assert any("(" in resource.resource_id for resource in resources)
    counts = {len(named) for scope, named in world.settings.items() if "/resourcegroups/" in scope}
    assert counts == {1, 2, 3, 4, 5}
    assert any("/resourcegroups/" not in scope for scope in world.settings)
    assert {len(rules) for rules in world.exports.values()} >= {1, 2, 10}
    customers = [s for s in world.subscriptions.values() if s.tenant_id != PROVIDER.tenant_id]
    assert any(s.state == "Disabled" for s in customers)
    assert any(not s.delegations for s in customers)
    assert any(d.group for s in customers for d in s.delegations)
    missing = [s for s in world.subscriptions.values() if "microsoft.insights" not in s.providers]
    assert 0 < len(missing) < 40
    for name in ("microsoft.insights", "microsoft.security"):
        assert any(name in s.providers for s in world.subscriptions.values())


def test_an_estate_can_be_without_anything_foreign() -> None:
    world = generate(
        PROVIDER,
        seed=3,
        customers=1,
        subscriptions=60,
        resources=5,
        regions=("westeurope",),
        foreign=False,
        odd=False,
    )
    assert {(s.state, len(s.providers)) for s in list(world.subscriptions.values())[1:]} == {("Enabled", 6)}
    assert all(s.delegations for s in list(world.subscriptions.values())[1:])
    assert not world.settings
    assert not world.exports
    assert {r.location for r in world.resources.values()} <= {"westeurope", "global"}


def test_an_estate_of_the_largest_size_is_built_in_seconds() -> None:
    before = time.monotonic()
    world = generate(PROVIDER, seed=1, customers=1, subscriptions=2000, resources=10)
    assert len(world.resources) == 20_000
    assert time.monotonic() - before < 10


async def test_who_sleeps_wakes_when_the_clock_is_moved() -> None:
    clock = Clock(datetime(2026, 1, 1, tzinfo=UTC))
    sleeper = asyncio.create_task(clock.sleep(60))
    await asyncio.sleep(0)
    clock.move(59)
    await asyncio.sleep(0.01)
    assert not sleeper.done()
    clock.move(1)
    async with asyncio.timeout(5):
        await sleeper
    assert clock.now() == datetime(2026, 1, 1, 0, 1, tzinfo=UTC)


def test_a_stopped_clock_stands_still_until_it_is_moved() -> None:
    clock = Clock()
    before = clock.seconds()
    clock.stop()
    moment = clock.now()
    assert clock.seconds() - before < 1
    assert clock.now() == moment
    clock.move(5)
    assert clock.now() == moment + timedelta(seconds=5)
