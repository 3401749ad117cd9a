"""Plays scenarios in a subscription and sends what they write; also what is malformed."""

from dataclasses import replace

from local.azure.app import SimulatedAzure
from local.azure.scenarios import SCENARIOS
from local.azure.story import Story, Written
from local.azure.telemetry import TELEMETRY

MIXED = "mixed"
"""The scenario that draws each of its rounds from all the others."""

DIRTY = "dirty"
"""The scenario of malformed bodies in good files, and an empty file."""

REPEATED = "repeated"
"""The scenario of a deployment whose entries all arrive twice, byte for byte."""

SPLIT = "split"
"""The scenario of a deployment whose later results lie in later capture files than its beginnings."""

_DIRTY_BODIES: tuple[bytes | None, ...] = (
    b'{"records":[{"time":"2026-01-01T00:00:00.0000000Z", "category":"Administr',
    None,
    b'{"records":["a record that is no object", 17]}',
)


async def play(
    azure: SimulatedAzure, scenario: str, subscription_id: str, *, count: int = 1, seed: int | None = None
) -> list[Written]:
    """Play a scenario so many times.

    Args:
        azure: where.
        scenario: a name in `SCENARIOS` or `TELEMETRY`, `mixed`, `repeated`, `split` or `dirty`.
        subscription_id: in which subscription.
        count: how often.
        seed: restarts the world's chance, so that the same is written again.

    Raises:
        KeyError: there is no such scenario or subscription.
    """
    if seed is not None:
        azure.world.random.seed(f"{seed}/{subscription_id}/{scenario}")
    if telemetry := TELEMETRY.get(scenario):
        subscription = azure.world.subscriptions[subscription_id.lower()]
        return [telemetry(azure, subscription) for _ in range(count)]
    if scenario == DIRTY:
        return [await _dirty(azure, subscription_id) for _ in range(count)]
    written = []
    for _ in range(count):
        name = _scenario(azure, scenario)
        subscription = azure.world.subscriptions[subscription_id.lower()]
        before = azure.activity.destinations(subscription_id)
        story = Story.begin(azure.activity.writer, subscription)
        SCENARIOS[name](story)
        told = story.told(name)
        late = [entry for entry in told.entries if scenario == SPLIT and "jobId" in entry]
        early = [entry for entry in told.entries if entry not in late]
        delivered = azure.activity.record(subscription_id, early, before)
        if late:
            await azure.capture.close_windows(force=True)
            delivered += azure.activity.record(subscription_id, late, before)
        again = azure.activity.record(subscription_id, told.entries, before) if scenario == REPEATED else 0
        written.append(replace(told, delivered=delivered, duplicates=again))
    return written


def _scenario(azure: SimulatedAzure, name: str) -> str:
    """The scenario of one round."""
    if name == MIXED:
        return azure.world.random.choice(sorted(SCENARIOS))
    return "deployment" if name in (REPEATED, SPLIT) else name


async def _dirty(azure: SimulatedAzure, subscription_id: str) -> Written:
    azure.world.subscriptions[subscription_id.lower()]  # raises what an unknown one deserves
    bodies = files = 0
    for place in azure.activity.destinations(subscription_id):
        bodies += sum(azure.stream.send(place.namespace, place.hub, body) for body in _DIRTY_BODIES)
        files += 1 if await azure.capture.write_empty(place.namespace, place.hub) else 0
    return Written(DIRTY, subscription_id, (), (), 0, 0, bodies, files)
