"""The published mapping: one sequence of versions, whoever publishes, and a blob that follows it."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.model.hubs import HubState
from shared.model.jobs import Cause
from shared.model.mapping import MappedHub, customers_by_region, replay
from shared.store.mappings import BLOB, MappingStore, mapping_text
from shared.store.tables import Stored
from shared.sync.mapping import mapped, next_version, publish
from tests.helpers.facts import NOW, an_assignment
from tests.helpers.lab import Lab

_HUBS = st.frozensets(
    st.builds(
        MappedHub,
        st.sampled_from(["eastus", "westeurope"]),
        st.sampled_from(["contoso", "fabrikam", "litware"]),
        st.sampled_from(["keeper-1", "keeper-2"]),
        st.integers(1, 2),
    )
)


def test_customers_are_sorted_within_sorted_regions() -> None:
    hubs = [
        an_assignment(region=region, customer=customer)
        for region, customer in [("westeurope", "fabrikam"), ("westeurope", "contoso"), ("eastus", "litware")]
    ]
    mapping = customers_by_region(mapped(hubs))
    assert list(mapping.items()) == [("eastus", ["litware"]), ("westeurope", ["contoso", "fabrikam"])]


def test_a_hub_that_is_being_deleted_is_not_to_be_made_again() -> None:
    draining = an_assignment(customer="fabrikam", state=HubState.DRAINING)
    assert customers_by_region(mapped([draining, an_assignment(state=HubState.REMOVING)])) == {
        "westeurope": ["fabrikam"]
    }


@given(st.lists(_HUBS, max_size=8))
def test_every_version_can_be_had_again_from_the_differences(states: list[frozenset[MappedHub]]) -> None:
    versions = []
    after: list[frozenset[MappedHub]] = []
    for state in states:
        version = next_version(versions, state, Cause.CYCLE, NOW)
        if version is not None:
            versions.append(version)
            after.append(state)
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    for number, state in enumerate(after, 1):
        assert replay(versions[:number]) == state


async def _assign(lab: Lab, *customers: str) -> None:
    for customer in customers:
        await lab.context.hubs.save([Stored(an_assignment(customer=customer), "")])


async def _shown(lab: Lab) -> dict[str, list[str]]:
    text = await lab.context.mappings.shown()
    assert text is not None
    mapping: dict[str, list[str]] = json.loads(text)["eventHubMapping"]
    return mapping


async def test_nothing_is_published_before_there_is_anything(lab: Lab) -> None:
    await publish(lab.context, Cause.CYCLE)
    assert await lab.context.mappings.shown() is None


async def test_each_change_makes_a_version_with_its_difference(lab: Lab) -> None:
    await _assign(lab, "contoso", "fabrikam")
    await publish(lab.context, Cause.ONBOARDING)
    await publish(lab.context, Cause.CYCLE)
    lab.world.clock.move(60)
    row = await lab.context.hubs.read("westeurope", "contoso")
    assert row is not None
    await lab.context.hubs.remove(row)
    await publish(lab.context, Cause.OPERATOR)

    first, second = await lab.context.mappings.versions()
    assert [hub.customer for hub in first.added] == ["contoso", "fabrikam"]
    assert ([hub.customer for hub in second.removed], second.added) == (["contoso"], ())
    assert (first.cause, second.cause) == (Cause.ONBOARDING, Cause.OPERATOR)
    assert second.published_at - first.published_at == timedelta(seconds=60)
    assert await _shown(lab) == {"westeurope": ["fabrikam"]}


async def test_jobs_that_publish_at_once_agree_on_one_sequence(lab: Lab) -> None:
    names = [f"customer-{number}" for number in range(6)]

    async def one(name: str) -> None:
        await _assign(lab, name)
        for _ in range(4):
            await publish(lab.context, Cause.CYCLE)

    await asyncio.gather(*map(one, names))

    versions = await lab.context.mappings.versions()
    assert [version.number for version in versions] == list(range(1, len(versions) + 1))
    assert [hub.customer for hub in sorted(replay(versions))] == names
    assert await _shown(lab) == {"westeurope": names}


async def test_the_blob_never_goes_back_and_is_made_again(lab: Lab) -> None:
    await _assign(lab, "contoso")
    await publish(lab.context, Cause.CYCLE)
    old = await lab.context.mappings.versions()
    await _assign(lab, "fabrikam")
    await publish(lab.context, Cause.CYCLE)

    await lab.context.mappings.show(old)
    assert await _shown(lab) == {"westeurope": ["contoso", "fabrikam"]}

    container = await lab.storage.container("published")
    await container.delete_blob(BLOB)
    await publish(lab.context, Cause.CYCLE)
    assert await _shown(lab) == {"westeurope": ["contoso", "fabrikam"]}


async def test_a_version_may_be_larger_than_one_property_of_a_row(lab: Lab) -> None:
    hubs = frozenset(
        MappedHub("westeurope", f"customer-with-a-long-name-{number:04d}", "lightkeeper-westeurope-1", 1)
        for number in range(2000)
    )
    version = next_version([], hubs, Cause.CYCLE, NOW)
    assert version is not None
    store: MappingStore = lab.context.mappings

    await store.append(version)

    assert await store.versions() == [version]
    assert json.loads(mapping_text(hubs))["eventHubMapping"]["westeurope"][0].endswith("0000")


async def test_the_cycle_publishes_what_it_assigned(lab: Lab) -> None:
    await lab.integrate("contoso", lab.world.guid())
    await lab.cycle()
    assert await _shown(lab) == {"westeurope": ["contoso"]}
    (version,) = await lab.context.mappings.versions()
    assert replace(version.added[0]) == MappedHub("westeurope", "contoso", "lightkeeper-westeurope-1", 1)
