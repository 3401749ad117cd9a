"""Hub assignments: by region, by customer, and by the names that stand in a capture file's path."""

import asyncio
import logging
from dataclasses import replace

import pytest

from shared.model.hubs import HubAssignment, HubState
from shared.model.reasons import Reason
from shared.store.hubs import HubStore
from shared.store.storage import Storage
from shared.store.tables import ConflictError, Stored
from tests.helpers.facts import NOW, an_assignment


@pytest.fixture
def store(storage: Storage) -> HubStore:
    return HubStore(storage)


@pytest.mark.parametrize(
    "assignment",
    [
        an_assignment(),
        an_assignment(state=HubState.READY, verified_at=NOW, shard=12),
        replace(an_assignment(state=HubState.BLOCKED), reason=Reason.REFUSED, detail="400 BadRequest: no"),
    ],
)
async def test_an_assignment_reads_back_as_it_was_saved(store: HubStore, assignment: HubAssignment) -> None:
    await store.save([Stored(assignment, "")])
    found = await store.read(assignment.region, assignment.customer)
    assert found is not None
    assert found.fact == assignment


async def test_assignments_are_listed_in_all_regions_or_in_one(store: HubStore) -> None:
    for region in ("westeurope", "eastus"):
        await store.save([Stored(an_assignment(region=region), "")])
    assert {row.fact.region for row in await store.list()} == {"westeurope", "eastus"}
    assert [row.fact.region for row in await store.list("eastus")] == ["eastus"]
    assert await store.list("uksouth") == []


async def test_an_assignment_is_found_by_the_names_of_namespace_and_hub(store: HubStore) -> None:
    one, other = an_assignment(customer="contoso"), an_assignment(customer="fabrikam", region="eastus")
    await store.save([Stored(one, "")])
    await store.save([Stored(other, "")])
    assert await store.find("Lightkeeper-WestEurope-1", "CONTOSO") == one
    assert await store.find("lightkeeper-eastus-1", "fabrikam") == other


@pytest.mark.parametrize(
    ("namespace", "hub"),
    [
        ("lightkeeper-westeurope-1", "fabrikam"),
        ("lightkeeper-eastus-1", "contoso"),
        ("", ""),
        ("lightkeeper-westeurope-1", "contoso' or RowKey ne '"),
    ],
)
async def test_a_hub_that_is_assigned_to_nobody_is_not_found(
    store: HubStore, namespace: str, hub: str
) -> None:
    await store.save([Stored(an_assignment(), "")])
    assert await store.find(namespace, hub) is None


async def test_an_assignment_is_found_as_it_is_now_however_often_it_was_looked_for(store: HubStore) -> None:
    mine = an_assignment(customer="contoso")
    assert await store.find(mine.namespace, mine.hub) is None
    await store.save([Stored(mine, "")])
    assert await store.find(mine.namespace, mine.hub) == mine

    theirs = an_assignment(customer="fabrikam", integration_id="theirs")
    assert await store.find(theirs.namespace, theirs.hub) is None
    await store.save([Stored(theirs, "")])
    assert await store.find(theirs.namespace, theirs.hub) == theirs

    stored = await store.read(mine.region, mine.customer)
    assert stored is not None
    await store.remove(stored)
    assert await store.find(mine.namespace, mine.hub) is None
    anew = replace(mine, integration_id="anew", shard=2, namespace="lightkeeper-westeurope-2")
    await store.save([Stored(anew, "")])
    assert await store.find(mine.namespace, mine.hub) is None
    assert await store.find(anew.namespace, anew.hub) == anew
    assert await store.find(theirs.namespace, theirs.hub) == theirs


async def test_once_a_namespace_is_known_its_hubs_are_read_by_their_keys(
    store: HubStore, caplog: pytest.LogCaptureFixture
) -> None:
    contoso, fabrikam = an_assignment(customer="contoso"), an_assignment(customer="fabrikam")
    await store.save([Stored(contoso, ""), Stored(fabrikam, "")])
    assert await store.find(contoso.namespace, contoso.hub) == contoso
    caplog.set_level(logging.INFO, "azure.core.pipeline.policies.http_logging_policy")
    for _ in range(2):
        assert await store.find(fabrikam.namespace, fabrikam.hub) == fabrikam
    asked = [line for record in caplog.records for line in record.getMessage().splitlines() if "URL" in line]
    assert len(asked) == 2
    assert all("PartitionKey='westeurope',RowKey='fabrikam'" in url for url in asked)


async def test_a_customer_gets_one_hub_per_region_whoever_assigns_at_once(store: HubStore) -> None:
    contenders = [an_assignment(shard=shard) for shard in range(1, 6)]
    results = await asyncio.gather(
        *(store.save([Stored(each, "")]) for each in contenders), return_exceptions=True
    )
    assert results.count(None) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == 4
    (stored,) = await store.list()
    assert stored.fact == contenders[results.index(None)]


async def test_assignments_of_a_region_are_saved_together_or_not_at_all(store: HubStore) -> None:
    await store.save([Stored(an_assignment(customer="b-b-b"), "")])
    with pytest.raises(ConflictError):
        await store.save([Stored(an_assignment(customer=name), "") for name in ("a-a-a", "b-b-b", "c-c-c")])
    assert [row.fact.customer for row in await store.list()] == ["b-b-b"]
