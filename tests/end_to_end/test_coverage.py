"""Subscriptions come, go and change, and coverage follows without help."""

from tests.end_to_end.system import System, Tenant, a_name, until


async def a_tenant_with_a_workspace(system: System) -> Tenant:
    """A customer whose one subscription is not delegated, but known by its workspace."""
    name = a_name()
    made = await system.azure.add_customer(name, 1, not_delegated=1)
    [subscription] = made.not_delegated
    workspace = (
        f"/subscriptions/{subscription}/resourceGroups/entra"
        "/providers/Microsoft.OperationalInsights/workspaces/entra"
    )
    answer = await system.app.register(
        customer=name, tenantId=made.tenant_id, homeRegion="westeurope", workspaceResourceId=workspace
    )
    return Tenant(name, "westeurope", made.tenant_id, (subscription,), answer["id"])


async def test_a_subscription_that_is_delegated_later_is_found_and_configured(hurried: System) -> None:
    tenant = await hurried.register(2, not_delegated=2, vaults=0)
    first, second = tenant.subscriptions

    await hurried.azure.delegate(first)
    await hurried.configured(tenant, 1)
    assert await hurried.setting(second) is None

    await hurried.azure.delegate(second)
    await hurried.configured(tenant, 2)
    assert await hurried.setting(second) is not None


async def test_a_subscription_that_is_expected_but_not_delegated_has_its_reason(hurried: System) -> None:
    tenant = await a_tenant_with_a_workspace(hurried)
    [subscription] = tenant.subscriptions

    row = await hurried.until_subscription(tenant, subscription, coverage="excluded")
    assert row["reason"] == "not_delegated"
    assert row["remedy"]
    assert await hurried.reasons(tenant) >= {"not_delegated"}

    await hurried.azure.delegate(subscription)
    await hurried.until_subscription(tenant, subscription, coverage="configured", reason=None)
    assert "not_delegated" not in await hurried.reasons(tenant)


async def test_a_delegation_that_is_withdrawn_and_given_again(hurried: System) -> None:
    tenant = await hurried.customer()
    [subscription] = tenant.subscriptions

    await hurried.azure.delegate(subscription, delegated=False)
    gone = await hurried.until_subscription(tenant, subscription, coverage="gone")
    assert (gone["reason"], gone["delegatedSince"]) == ("not_delegated", None)
    assert await hurried.reasons(tenant) == {"not_delegated"}
    assert await hurried.setting(subscription) is not None

    await hurried.azure.delegate(subscription)
    back = await hurried.until_subscription(tenant, subscription, coverage="configured")
    assert (back["reason"], back["delegatedSince"] is None) == (None, False)
    assert await hurried.reasons(tenant) == set()


async def test_a_subscription_that_is_disabled_and_enabled_again(hurried: System) -> None:
    tenant = await hurried.customer()
    [subscription] = tenant.subscriptions

    await hurried.azure.set_state(subscription, "Disabled")
    disabled = await hurried.until_subscription(tenant, subscription, coverage="excluded")
    assert (disabled["reason"], disabled["state"]) == ("subscription_disabled", "Disabled")
    assert await hurried.reasons(tenant) == {"subscription_disabled"}

    await hurried.azure.set_state(subscription, "Enabled")
    await hurried.until_subscription(tenant, subscription, coverage="configured", state="Enabled")
    assert await hurried.reasons(tenant) == set()


async def test_a_setting_that_the_customer_deletes_is_put_back(hurried: System) -> None:
    tenant = await hurried.customer()
    [subscription] = tenant.subscriptions
    before = await hurried.setting(subscription)
    assert before is not None

    assert await hurried.azure.delete_setting(f"/subscriptions/{subscription}", "Lightkeeper-Logs")

    await until(lambda: hurried.setting(subscription), lambda setting: setting == before)
    await hurried.until_subscription(tenant, subscription, coverage="configured")


async def test_no_more_subscriptions_are_covered_than_the_cap_allows(hurried: System) -> None:
    tenant = await hurried.register(3, vaults=0, subscriptionCap=2)

    await hurried.configured(tenant, 2)

    counts = (await hurried.app.integration(tenant.integration_id))["counts"]["subscriptions"]
    assert (counts["excluded"], counts["reasons"]) == (1, {"over_cap": 1})
