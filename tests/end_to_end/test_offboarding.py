"""The end of an integration, over HTTP: what we made goes, the report says so, and the slug is free again."""

import pytest

from tests.end_to_end.system import Json, System, Tenant, a_name, until

_LONG = 120.0


async def delete(system: System, tenant: Tenant) -> Json:
    reply = await system.request("DELETE", f"api/integrations/{tenant.integration_id}")
    assert reply.status == 202, reply.body
    assert reply.headers["Location"] == f"/api/integrations/{tenant.integration_id}/offboarding"
    seen: Json = reply.json()
    return seen


async def report(system: System, tenant: Tenant) -> Json:
    reply = await system.request("GET", f"api/integrations/{tenant.integration_id}/offboarding")
    assert reply.status == 200, reply.body
    seen: Json = reply.json()
    return seen


async def offboarded(system: System, tenant: Tenant) -> Json:
    return await until(
        lambda: report(system, tenant), lambda seen: bool(seen["status"] == "offboarded"), _LONG
    )


async def test_an_integration_ends_and_its_slug_and_tenant_are_free(hurried: System) -> None:
    tenant = await hurried.register(2)
    await hurried.configured(tenant)
    await hurried.monitored(tenant, 2)

    assert (await delete(hurried, tenant))["status"] == "offboarding"
    assert (await delete(hurried, tenant))["status"] == "offboarding"
    taken = await hurried.request("POST", f"api/integrations/{tenant.integration_id}/sync")
    assert taken.status == 409
    seen = await offboarded(hurried, tenant)

    assert (seen["counts"]["removed"], seen["counts"]["blocked"], seen["hubs"]) == (6, 0, [])
    assert seen["requestedAt"] < seen["drainedAt"] <= seen["finishedAt"]
    state = await hurried.azure.state()
    assert not [hub for hub in state["hubs"] if hub.endswith(f"/{tenant.name}")]
    for scope, settings in state["settings"].items():
        assert not (scope.split("/")[2] in tenant.subscriptions and "Lightkeeper-Logs" in settings)
    assert (await delete(hurried, tenant))["status"] == "offboarded"
    shown = await hurried.app.integration(tenant.integration_id)
    assert (shown["status"], shown["problems"]) == ("offboarded", [])

    again = await hurried.app.register(
        customer=tenant.name, tenantId=tenant.tenant_id, homeRegion=tenant.region
    )
    assert again["id"] != tenant.integration_id
    await hurried.configured(
        Tenant(tenant.name, tenant.region, tenant.tenant_id, tenant.subscriptions, again["id"])
    )


async def test_what_is_no_longer_delegated_is_reported_and_the_rest_goes(hurried: System) -> None:
    tenant = await hurried.register(2, vaults=0)
    await hurried.configured(tenant)
    lost, kept = tenant.subscriptions
    await hurried.azure.delegate(lost, delegated=False)

    await delete(hurried, tenant)
    seen = await offboarded(hurried, tenant)

    assert {(each["subscriptionId"], each["state"], each["reason"]) for each in seen["objects"]} == {
        (lost, "blocked", "not_delegated"),
        (kept, "removed", None),
    }
    assert all(each["remedy"] for each in seen["objects"] if each["reason"])
    assert await hurried.setting(lost) is not None
    assert await hurried.setting(kept) is None


@pytest.mark.parametrize("integration", ["99999999-2222-4333-8444-555555555555", "unknown", "tenant~1"])
@pytest.mark.parametrize(
    ("method", "suffix"), [("DELETE", ""), ("POST", "/sync"), ("GET", "/offboarding"), ("GET", "/resources")]
)
async def test_what_is_not_there_cannot_be_asked_for(
    hurried: System, method: str, suffix: str, integration: str
) -> None:
    reply = await hurried.request(method, f"api/integrations/{integration}{suffix}")
    assert (reply.status, reply.media_type) == (404, "application/problem+json")


async def test_an_integration_that_is_kept_has_no_report(hurried: System) -> None:
    made = await hurried.app.register(
        customer=a_name(), tenantId="12345678-2222-4333-8444-000000000001", homeRegion="westeurope"
    )
    reply = await hurried.request("GET", f"api/integrations/{made['id']}/offboarding")
    assert reply.status == 404
