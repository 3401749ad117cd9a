"""Calls to Resource Manager: per new, steady, drifted resource, and under the documented token buckets."""

import asyncio
from collections import Counter
from collections.abc import Iterator

from benchmarks.report import Options, Row, at_most
from benchmarks.sync_lab import CYCLE_SECONDS, SyncLab, open_sync_lab
from local.azure.estate import add_customer
from local.azure.world import Resource
from shared.model.integration import Integration
from shared.model.jobs import Cause, Job, Phase, Step
from shared.model.upkeep import Coverage

KEYS = (
    "arm.calls_per_new_resource",
    "arm.calls_per_steady_resource",
    "arm.refused_share",
    "arm.time_over_bucket",
)

_REGION = "westeurope"
_RESOURCES = 1000
_QUICK_RESOURCES = 60
_STEADY_CYCLES, _QUICK_STEADY_CYCLES = 12, 2
_MOST_CYCLES = 20
_BUCKET, _REFILL = 200, 10


def measure(options: Options) -> Iterator[Row]:
    """One subscription with a thousand new key vaults, then an hour in which nothing happens."""
    if options.quick:
        return iter(asyncio.run(_measure(_QUICK_RESOURCES, _QUICK_STEADY_CYCLES)))
    return iter(asyncio.run(_measure(_RESOURCES, _STEADY_CYCLES)))


async def _measure(count: int, steady_cycles: int) -> list[Row]:
    async with open_sync_lab() as lab:
        customer = add_customer(lab.azure.world, "contoso", 1, vaults=count, regions=(_REGION,))
        integration = await lab.integrate("contoso", customer.tenant_id, _REGION)
        rows = await _new(lab, integration, count)
        rows += await _steady(lab, count, steady_cycles)
        rows += await _one_drifted(lab, integration)
        return rows + await _one_new(lab, customer.delegated[0], integration)


async def _new(lab: SyncLab, integration: Integration, count: int) -> list[Row]:
    await lab.cycle(Cause.ONBOARDING)
    for _ in range(_MOST_CYCLES):
        if (await lab.coverages(integration))[Coverage.CONFIGURED] == count:
            break
        await lab.cycle()
    facts = [row.fact.upkeep for row in await lab.context.resources.list(integration.id)]
    done = [fact.verified_at for fact in facts if fact.verified_at is not None]
    begun = [fact.written_at for fact in facts if fact.written_at is not None]
    took = (max(done) - min(begun)).total_seconds() if len(done) == count else float("inf")
    allowed = max((count - _BUCKET) / _REFILL, 1.0)
    calls = lab.calls()
    return [
        Row("new resources that are configured", len(done), 1),
        Row("calls per new resource", calls.total() / count, 1, at_most(2.1), KEYS[0]),
        *_by_kind("  ", calls, count),
        Row("calls refused, of all", lab.refused() / calls.total(), 1, at_most(0.01), KEYS[2]),
        Row("time, of what the write bucket allows", took / allowed, 1, at_most(1.25), KEYS[3]),
    ]


async def _steady(lab: SyncLab, count: int, cycles: int) -> list[Row]:
    before = lab.calls()
    for _ in range(cycles):
        await lab.cycle()
    calls = lab.calls() - before
    per_cycle = count * cycles
    return [
        Row("calls per steady resource and cycle", calls.total() / per_cycle, 1, at_most(0.02), KEYS[1]),
        *_by_kind("  ", calls, per_cycle),
    ]


async def _one_drifted(lab: SyncLab, integration: Integration) -> list[Row]:
    """What it costs when somebody deletes one setting, and the log tells of it."""
    resource = (await lab.context.resources.list(integration.id))[0].fact.listed
    lab.azure.world.settings.pop(resource.id.lower())
    before = lab.calls()
    job = Job(Step.RESOURCE_SETTINGS, Phase.TARGET, "now", Cause.LOG, integration.id, resource.id.lower())
    await lab.context.send_once(job)
    await lab.drive(lab.clock.seconds() + CYCLE_SECONDS)
    calls = lab.calls() - before
    return [Row("calls to mend one drifted resource", calls.total(), 1), *_by_kind("  ", calls, 1)]


async def _one_new(lab: SyncLab, subscription_id: str, integration: Integration) -> list[Row]:
    """What a cycle costs in which one resource is new, besides what it costs anyway."""
    before = lab.calls()
    await lab.cycle()
    anyway = lab.calls() - before
    name = (
        f"/subscriptions/{subscription_id}/resourceGroups/contoso-rg/providers/Microsoft.KeyVault/vaults/new"
    )
    lab.azure.world.add_resource(Resource(name, "Microsoft.KeyVault/vaults", _REGION))
    before = lab.calls()
    await lab.cycle()
    await lab.cycle()
    calls = lab.calls() - before - anyway - anyway
    covered = (await lab.coverages(integration))[Coverage.CONFIGURED]
    return [
        Row("calls for one new resource among them", calls.total(), 1),
        *_by_kind("  ", calls, 1),
        Row("resources configured at the end", covered, 1),
    ]


def _by_kind(indent: str, calls: Counter[str], per: int) -> list[Row]:
    return [
        Row(f"{indent}{kind.split()[0]} {_short(kind)}", number / per, 1)
        for kind, number in calls.most_common(5)
    ]


def _short(kind: str) -> str:
    return kind.rpartition("/providers/")[2] if "/providers/" in kind else kind.partition(" ")[2]
