"""Logs that are no activity log: resource logs, rows of exported tables, alerts of Defender for Cloud.

They flow wherever a diagnostic setting, an export rule or an automation leads them at this moment.
Shapes: Key Vault's AuditEvent after public samples; table rows after exported rows of other tables, with
and without the `records` envelope, as the product has to take both; alerts after the alerts API.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from local.azure.activity import destination
from local.azure.app import SimulatedAzure
from local.azure.automations import may_send, namespace_and_hub
from local.azure.data_exports import namespace_of
from local.azure.entries import stamp
from local.azure.export_tables import EXPORTED
from local.azure.http import Json
from local.azure.story import Written
from local.azure.workspaces import customer_id
from local.azure.world import Resource, Subscription

_SECRETS = (("SecretGet", 200, "OK"), ("SecretList", 200, "OK"), ("SecretGet", 403, "Forbidden"))
_SEVERITIES = ("high", "medium", "low")
_CLAIM = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_BARE = 0.25


def vault_access(azure: SimulatedAzure, subscription: Subscription) -> Written:
    """Somebody reads secrets of every key vault."""
    return _resource_logs(azure, subscription, "vault_access", "microsoft.keyvault/vaults")


def resource_logs(azure: SimulatedAzure, subscription: Subscription) -> Written:
    """Every resource writes to one of its log categories."""
    return _resource_logs(azure, subscription, "resource_logs", "")


def sign_ins(azure: SimulatedAzure, subscription: Subscription) -> Written:
    """Each workspace gets a row in every table that it exports; unsupported tables stay silent."""
    records: list[Json] = []
    delivered = 0
    for workspace in list(azure.world.resources_of(subscription.subscription_id)):
        for rule in azure.world.exports.get(workspace.resource_id.lower(), {}).values():
            namespace = namespace_of(rule.destination)
            if not rule.enabled or not namespace:
                continue
            for table in sorted(EXPORTED if rule.tables is None else set(rule.tables) & EXPORTED):
                row = _row(azure, subscription, workspace, table)
                records.append(row)
                delivered += _send(azure, namespace, rule.hub or f"am-{table.lower()}", row)
    return _written("sign_ins", subscription, records, delivered)


def defender_alert(azure: SimulatedAzure, subscription: Subscription) -> Written:
    """Defender for Cloud raises an alert, and every automation that wants it sends it on."""
    alert = _alert(azure, subscription)
    place = f"/subscriptions/{subscription.subscription_id}".lower()
    delivered = 0
    for key, automation in azure.world.automations.items():
        properties = automation.properties
        if not key.startswith(f"{place}/") or not properties.get("isEnabled", True):
            continue
        if not any(place == str(s.get("scopePath")).lower() for s in properties.get("scopes") or ()):
            continue
        if not any(_wants(source, alert) for source in properties.get("sources") or ()):
            continue
        for action in properties.get("actions") or ():
            named = namespace_and_hub(action)
            if named and may_send(azure.world, action):
                delivered += azure.stream.send_bare(*named, alert)
    return _written("defender_alert", subscription, [alert], delivered)


def _resource_logs(azure: SimulatedAzure, subscription: Subscription, name: str, only: str) -> Written:
    records: list[Json] = []
    delivered = 0
    for resource in list(azure.world.resources_of(subscription.subscription_id)):
        if only and resource.resource_type.lower() != only:
            continue
        for setting in azure.world.settings.get(resource.resource_id.lower(), {}).values():
            place = destination(azure.world, setting)
            if place is None:
                continue
            category = azure.world.random.choice(sorted(place.categories))
            record = _resource_log(azure, resource, category)
            records.append(record)
            delivered += azure.stream.send_records(place.namespace, place.hub, [record])
    return _written(name, subscription, records, delivered)


def _written(name: str, subscription: Subscription, records: list[Json], delivered: int) -> Written:
    place = subscription.subscription_id
    return Written(name, place, tuple(records), (), passed_through=len(records), delivered=delivered)


def _resource_log(azure: SimulatedAzure, resource: Resource, category: str) -> Json:
    chance, now = azure.world.random, azure.world.clock.now()
    operation, status, signature = chance.choice(_SECRETS)
    record: Json = {
        "time": stamp(now, chance.randrange(10)),
        "category": category,
        "operationName": operation if category == "AuditEvent" else f"{resource.resource_type}/log",
        "operationVersion": "7.4",
        "resourceId": resource.resource_id.upper(),
        "resultType": "Success",
        "correlationId": azure.world.guid(),
        "durationMs": str(chance.randrange(1, 90)),
        "callerIpAddress": f"198.51.100.{chance.randrange(1, 255)}",
    }
    if category != "AuditEvent":
        return {**record, "level": "Informational", "properties": {"message": "something happened"}}
    vault = f"https://{resource.name.lower()}.vault.azure.net"
    return {
        **record,
        # A refused call is a Success too: the outcome stands in the signature and the status code.
        "resultSignature": signature,
        "resultDescription": "",
        "identity": {"claim": {_CLAIM: azure.world.guid(), "appid": azure.world.guid()}},
        "properties": {
            "id": f"{vault}/secrets/database",
            "clientInfo": "azsdk-python-keyvault-secrets/4.9.0",
            "requestUri": f"{vault}/secrets/database?api-version=7.4",
            "httpStatusCode": status,
            "isAccessPolicyMatch": status == 200,  # noqa: PLR2004 - HTTP
            "tlsVersion": "TLS1_2",
        },
    }


def _row(azure: SimulatedAzure, subscription: Subscription, workspace: Resource, table: str) -> Json:
    chance, now = azure.world.random, azure.world.clock.now()
    return {
        "TimeGenerated": stamp(now, chance.randrange(10)),
        "Type": table,
        # TenantId is the workspace's own GUID; the Entra tenant is AADTenantId.
        "TenantId": customer_id(workspace),
        "AADTenantId": subscription.tenant_id,
        "SourceSystem": "Azure AD",
        "OperationName": "Sign-in activity" if "ign" in table else "Update user",
        "CorrelationId": azure.world.guid(),
        "UserPrincipalName": f"user{chance.randrange(100)}@customer.example",
        "IPAddress": f"198.51.100.{chance.randrange(1, 255)}",
        "ResultType": chance.choice(("0", "50126")),
        "_ItemId": azure.world.guid(),
        "_Internal_WorkspaceResourceId": workspace.resource_id.lower(),
    }


def _send(azure: SimulatedAzure, namespace: str, hub: str, row: Json) -> int:
    if azure.world.random.random() < _BARE:
        return azure.stream.send_bare(namespace, hub, row)
    return azure.stream.send_records(namespace, hub, [row])


def _alert(azure: SimulatedAzure, subscription: Subscription) -> Json:
    chance, now = azure.world.random, azure.world.clock.now()
    resources = list(azure.world.resources_of(subscription.subscription_id))
    place = f"/subscriptions/{subscription.subscription_id}"
    about = chance.choice(resources).resource_id if resources else place
    identifier = f"{chance.getrandbits(60)}_{azure.world.guid()}"
    return {
        "VendorName": "Microsoft",
        "ProductName": "Microsoft Defender for Cloud",
        "AlertType": "SIMULATED_SuspiciousAccess",
        "AlertDisplayName": "Suspicious access",
        "Description": "A simulated alert.",
        "Severity": chance.choice(_SEVERITIES).title(),
        "Intent": "CredentialAccess",
        "SystemAlertId": identifier,
        "AzureResourceId": about,
        "WorkspaceSubscriptionId": subscription.subscription_id,
        "StartTimeUtc": _instant(now - timedelta(minutes=5)),
        "EndTimeUtc": _instant(now),
        "TimeGenerated": _instant(now),
        "Status": "New",
        "IsIncident": False,
        "Entities": [],
        "ExtendedProperties": {},
        "ResourceIdentifiers": [{"Type": "AzureResource", "AzureResourceId": about}],
        "AlertUri": f"https://portal.azure.com/#blade/Microsoft_Azure_Security/AlertBlade/alertId/{identifier}",
    }


def _wants(source: Json, alert: Json) -> bool:
    """Whether a source takes an alert: rules of a set hold together, one set is enough."""
    if source.get("eventSource") != "Alerts":
        return False
    sets = source.get("ruleSets") or ()
    return not sets or any(all(_holds(rule, alert) for rule in one.get("rules") or ()) for one in sets)


def _holds(rule: Json, alert: Json) -> bool:
    actual = str(alert.get(str(rule.get("propertyJPath")).removeprefix("$."), "")).lower()
    wanted = str(rule.get("expectedValue")).lower()
    tests: dict[str, Callable[[], bool]] = {
        "Equals": lambda: actual == wanted,
        "NotEquals": lambda: actual != wanted,
        "Contains": lambda: wanted in actual,
        "StartsWith": lambda: actual.startswith(wanted),
        "EndsWith": lambda: actual.endswith(wanted),
    }
    return tests.get(str(rule.get("operator")), lambda: False)()


def _instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.0000000Z"


TELEMETRY: dict[str, Callable[[SimulatedAzure, Subscription], Written]] = {
    each.__name__: each for each in (vault_access, resource_logs, sign_ins, defender_alert)
}
"""What there is, by name."""
