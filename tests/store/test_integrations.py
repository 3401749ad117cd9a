"""Integrations: a customer and a tenant can be registered once, whoever comes at the same moment."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.model.integration import Integration, IntegrationStatus
from shared.store.integrations import AlreadyRegisteredError, IntegrationStore
from shared.store.storage import Storage
from shared.store.tables import ConflictError
from tests.helpers.facts import NOW, a_guid, an_integration


@pytest.fixture
def store(storage: Storage) -> IntegrationStore:
    return IntegrationStore(storage)


def _numbered(number: int, **changes: object) -> Integration:
    integration = an_integration(
        id=a_guid(number),
        customer=f"customer-{number}",
        tenant_id=a_guid(100 + number),
        created_at=NOW + timedelta(seconds=number),
    )
    return replace(integration, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "integration",
    [
        an_integration(),
        replace(an_integration(), management_group_id="root", display_name="Contoso «Ltd» 日本"),
        an_integration(workspace_resource_id="/subscriptions/x/Y", status=IntegrationStatus.ACTIVE),
    ],
)
async def test_an_integration_reads_back_as_it_was_registered(
    store: IntegrationStore, integration: Integration
) -> None:
    await store.register(integration)
    assert await store.get(integration.id) == integration


async def test_an_integration_that_is_not_there_is_none(store: IntegrationStore) -> None:
    assert await store.get(a_guid(404)) is None


async def test_a_claim_of_a_name_is_no_integration(store: IntegrationStore) -> None:
    await store.register(_numbered(1))
    assert await store.get("customer~customer-1") is None
    assert await store.list() == [_numbered(1)]


async def test_integrations_are_listed_oldest_first(store: IntegrationStore) -> None:
    for number in (3, 1, 2):
        await store.register(_numbered(number))
    assert await store.list() == [_numbered(1), _numbered(2), _numbered(3)]


@pytest.mark.parametrize(
    ("second", "field"),
    [
        (_numbered(2, customer="customer-1"), "customer"),
        (_numbered(2, tenant_id=a_guid(101)), "tenantId"),
        (_numbered(2, customer="customer-1", tenant_id=a_guid(101)), "customer"),
    ],
)
async def test_a_customer_or_tenant_is_registered_only_once(
    store: IntegrationStore, second: Integration, field: str
) -> None:
    await store.register(_numbered(1))
    with pytest.raises(AlreadyRegisteredError) as raised:
        await store.register(second)
    assert raised.value.field == field
    assert await store.list() == [_numbered(1)]


@pytest.mark.parametrize("same", ["customer", "tenant_id"])
async def test_of_many_who_register_the_same_at_once_exactly_one_succeeds(
    store: IntegrationStore, same: str
) -> None:
    contenders = [_numbered(number, **{same: getattr(_numbered(0), same)}) for number in range(8)]

    results = await asyncio.gather(*(store.register(each) for each in contenders), return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["AlreadyRegisteredError"] * 7 + [
        "NoneType"
    ]
    (winner,) = await store.list()
    assert winner == contenders[results.index(None)]


async def test_a_refused_registration_leaves_nothing_behind(store: IntegrationStore) -> None:
    await store.register(_numbered(1))
    with pytest.raises(AlreadyRegisteredError):
        await store.register(_numbered(2, tenant_id=a_guid(101)))
    await store.register(_numbered(3, customer="customer-2"))
    assert [each.customer for each in await store.list()] == ["customer-1", "customer-2"]


async def test_of_two_who_save_the_second_loses(store: IntegrationStore) -> None:
    await store.register(_numbered(1))
    stored = await store.read(a_guid(1))
    assert stored is not None
    await store.save(replace(stored.fact, status=IntegrationStatus.ACTIVE), stored.etag)
    with pytest.raises(ConflictError):
        await store.save(replace(stored.fact, subscription_cap=1), stored.etag)
    found = await store.get(a_guid(1))
    assert found is not None
    assert (found.status, found.subscription_cap) == (IntegrationStatus.ACTIVE, 2000)
