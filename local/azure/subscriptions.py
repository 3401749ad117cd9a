"""Subscriptions: the listing over all delegated ones, and one by its ID (2022-12-01)."""

from local.azure.access import visible
from local.azure.http import Json, Response
from local.azure.routes import Call, Route, page
from local.azure.world import Subscription

_VERSIONS = ("2019-11-01", "2020-01-01", "2021-01-01", "2022-12-01")


def describe(subscription: Subscription) -> Json:
    """A subscription as the listing shows it; `tenantId` is its home tenant."""
    managers = dict.fromkeys(delegation.tenant_id for delegation in subscription.delegations)
    return {
        "id": f"/subscriptions/{subscription.subscription_id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [{"tenantId": tenant} for tenant in managers],
        "subscriptionId": subscription.subscription_id,
        "tenantId": subscription.tenant_id,
        "displayName": subscription.name,
        "state": subscription.state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": subscription.quota_id,
            "spendingLimit": "Off",
        },
        "tags": {},
    }


def _list(call: Call) -> Response:
    seen = [s for s in call.world.subscriptions.values() if visible(call.world, call.principal, s)]
    items = [describe(s) for s in seen]
    return page(call, items, call.world.page_size, count={"type": "Total", "value": len(items)})


def _get(call: Call) -> Response:
    subscription = call.world.subscriptions[call.path["subscription"].lower()]
    return Response.of(describe(subscription))


ROUTES = (
    Route("GET", "/subscriptions", _VERSIONS, "", _list),
    Route("GET", "/subscriptions/{subscription}", _VERSIONS, "Microsoft.Resources/subscriptions/read", _get),
)
