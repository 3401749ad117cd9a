"""Estates come from a seed and a size; the clock is one for all and can be moved."""

import asyncio
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
