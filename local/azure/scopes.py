"""Parts of ARM paths: subscription, resource group, provider, names."""

import re

SUBSCRIPTION = re.compile(r"/?subscriptions/(?P<id>[0-9a-fA-F-]{36})(?:/|$)", re.IGNORECASE)
_GROUP = re.compile(r"/?subscriptions/[^/]+/resourcegroups/(?P<group>[^/]+)", re.IGNORECASE)
_RULE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)"
    r"/providers/(?P<provider>microsoft\.eventhub|microsoft\.servicebus)/namespaces/(?P<namespace>[^/]+)"
    r"/authorizationrules/(?P<rule>[^/]+)",
    re.IGNORECASE,
)
_TYPE = re.compile(r"/providers/(?P<provider>[^/]+)/(?P<rest>.+)$", re.IGNORECASE)


def subscription_of(path: str) -> str:
    """The subscription a path lies in, in lower case; empty if it lies in none."""
    match = SUBSCRIPTION.match(path)
    return match["id"].lower() if match else ""


def group_of(path: str) -> str:
    """The resource group a path lies in, in lower case; empty if it lies in none."""
    match = _GROUP.match(path)
    return match["group"].lower() if match else ""


def namespace_and_rule(rule_id: str) -> tuple[str, str] | None:
    """Namespace and rule that the ID of a namespace's authorization rule names."""
    match = _RULE.fullmatch(rule_id.rstrip("/"))
    return (match["namespace"], match["rule"]) if match else None


def resource_type_of(resource_id: str) -> str:
    """The type that an ID names, in lower case: `microsoft.keyvault/vaults`; empty if it names none."""
    match = _TYPE.search(resource_id)
    if match is None:
        return ""
    kinds = match["rest"].strip("/").split("/")[0::2]
    return "/".join([match["provider"], *kinds]).lower()
