"""Subscriptions through the real client: what is seen, how it is paged, what it looks like."""

from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError

from tests.local.azure.azure_bench import PROVIDER, Bench
from tests.local.azure.recordings import missing_keys, recorded

_VERSION = "?api-version=2022-12-01"


async def test_the_listing_shows_what_is_delegated_over_several_pages(bench: Bench) -> None:
    customer = bench.customer
    listed = [item async for item in bench.subscriptions().subscriptions.list()]
    assert {item.subscription_id for item in listed} == {
        PROVIDER.subscription_id,
        *customer.delegated,
        *customer.disabled,
        *customer.partial,
    }
    assert bench.azure.counts.by_kind["GET /subscriptions"] == 3


async def test_an_item_names_its_home_tenant_and_its_managers(bench: Bench) -> None:
    listed = [item async for item in bench.subscriptions().subscriptions.list()]
    mine = next(item for item in listed if item.subscription_id == bench.customer.delegated[0])
    assert mine.tenant_id == bench.customer.tenant_id
    assert mine.managed_by_tenants is not None
    assert [tenant.tenant_id for tenant in mine.managed_by_tenants] == [PROVIDER.tenant_id]
    assert mine.subscription_policies is not None
    assert mine.subscription_policies.quota_id
    disabled = next(item for item in listed if item.subscription_id == bench.customer.disabled[0])
    assert disabled.state == "Disabled"


async def test_a_subscription_that_is_not_delegated_wants_another_tenants_token(bench: Bench) -> None:
    with pytest.raises(ClientAuthenticationError) as caught:
        await bench.subscriptions().subscriptions.get(bench.customer.not_delegated[0])
    assert caught.value.error is not None
    assert caught.value.error.code == "InvalidAuthenticationTokenTenant"


async def test_a_subscription_that_does_not_exist_is_not_found(bench: Bench) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        await bench.subscriptions().subscriptions.get("30000000-0000-4000-8000-000000000003")
    assert caught.value.error is not None
    assert caught.value.error.code == "SubscriptionNotFound"


async def test_withdrawn_delegation_takes_a_subscription_from_the_listing(bench: Bench) -> None:
    bench.world.change_subscription(bench.customer.delegated[0], delegations=())
    listed = [item.subscription_id async for item in bench.subscriptions().subscriptions.list()]
    assert bench.customer.delegated[0] not in listed


async def test_listing_and_item_have_the_keys_of_the_recordings(bench: Bench, samples: Path) -> None:
    for operation, path in (
        ("GET /subscriptions", "/subscriptions"),
        ("GET /subscriptions/{}", f"/subscriptions/{bench.customer.delegated[0]}"),
    ):
        answer = bench.call("GET", path + _VERSION).json()
        answers = recorded(samples, "subscriptions", operation, 200)
        assert answers
        for body in answers:
            assert not missing_keys(body, answer)
