"""Resource providers of a subscription: which are registered, and registering them (2025-04-01)."""

from local.azure.http import Json, Refusal, Response
from local.azure.resource_types import TYPES
from local.azure.routes import Call, Route

_VERSIONS = ("2016-09-01", "2018-02-01", "2019-07-01", "2020-06-01", "2021-04-01", "2022-09-01", "2025-04-01")
_MORE = (
    "Microsoft.Authorization",
    "Microsoft.ContainerInstance",
    "Microsoft.Insights",
    "Microsoft.ManagedServices",
    "Microsoft.RecoveryServices",
    "Microsoft.Resources",
    "Microsoft.Search",
    "Microsoft.Security",
    "Microsoft.Storage",
)
_NAMES = {
    name.lower(): name for name in sorted({*_MORE, *(kind.name.partition("/")[0] for kind in TYPES.values())})
}


def describe_types(provider: str) -> Json:
    """A provider as Azure shows it without a subscription; its types are those known here."""
    kinds = [kind.name for kind in TYPES.values() if kind.name.startswith(f"{provider}/")]
    return {
        "namespace": provider,
        "resourceTypes": [
            {"resourceType": kind.partition("/")[2], "locations": [], "apiVersions": []} for kind in kinds
        ],
    }


def describe(call: Call, provider: str) -> Json:
    """A provider as Azure shows it in this subscription."""
    subscription = call.world.subscriptions[call.path["subscription"].lower()]
    registered = provider.lower() in subscription.providers
    return {
        "id": f"/subscriptions/{call.path['subscription']}/providers/{provider}",
        "authorizations": [],
        **describe_types(provider),
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
    }


def _list(call: Call) -> Response:
    return Response.of({"value": [describe(call, name) for name in _NAMES.values()]})


def _get(call: Call) -> Response:
    return Response.of(describe(call, _found(call)))


def _get_types(call: Call) -> Response:
    return Response.of(describe_types(_found(call)))


def _register(call: Call) -> Response:
    return _change(call, registered=True)


def _unregister(call: Call) -> Response:
    return _change(call, registered=False)


def _change(call: Call, *, registered: bool) -> Response:
    name = _found(call)
    subscription = call.world.subscriptions[call.path["subscription"].lower()]
    changed = (
        subscription.providers | {name.lower()} if registered else subscription.providers - {name.lower()}
    )
    call.world.change_subscription(subscription.subscription_id, providers=changed)
    return Response.of(describe(call, name))


def _found(call: Call) -> str:
    name = _NAMES.get(call.path["provider"].lower())
    if name is None:
        raise Refusal(
            404,
            "InvalidResourceNamespace",
            f"The resource namespace '{call.path['provider']}' is invalid.",
        )
    return name


_PROVIDERS = "/subscriptions/{subscription}/providers"

ROUTES = (
    Route("GET", "/providers/{provider}", _VERSIONS, "", _get_types),
    Route("GET", _PROVIDERS, _VERSIONS, "Microsoft.Resources/subscriptions/providers/read", _list, 1),
    Route(
        "GET",
        f"{_PROVIDERS}/{{provider}}",
        _VERSIONS,
        "Microsoft.Resources/subscriptions/providers/read",
        _get,
        2,
    ),
    *(
        Route(
            "POST",
            f"{_PROVIDERS}/{{provider}}/{verb}",
            _VERSIONS,
            f"{{provider}}/{verb}/action",
            handler,
            3,
            changes=True,
        )
        for verb, handler in (("register", _register), ("unregister", _unregister))
    ),
)
"""Registering needs, for example, Microsoft.Insights/register/action."""
