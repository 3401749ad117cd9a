"""Whatever somebody breaks is whole again after a sweep, and nothing else has changed.

Each break is made by a person through Azure's API, beside settings, rules, automations and hubs of others.
"""

from collections.abc import Callable

import pytest

from shared.model.exports import ENTRA_TABLES
from tests.helpers.lab import Lab
from tests.helpers.standing import AWAY, HOME, RULE, SETTING, Standing, stand

type Break = Callable[[Standing], object]

_ACTIVITY: dict[str, Break] = {
    "deleted": lambda s: s.hands.delete_setting(s.scope, SETTING),
    "sent to another hub": lambda s: s.hands.change_setting(s.scope, SETTING, hub="theirs"),
    "sent with another rule": lambda s: s.hands.change_setting(
        s.scope, SETTING, rule_id=f"{s.namespace_id}/authorizationRules/RootManageSharedAccessKey"
    ),
    "one category disabled": lambda s: s.hands.change_setting(s.scope, SETTING, disable="Security"),
    "all but one category left out": lambda s: s.hands.change_setting(
        s.scope, SETTING, categories=["Policy"]
    ),
}
_VAULT: dict[str, Break] = {
    "deleted": lambda s: s.hands.delete_setting(s.vault, SETTING),
    "sent to another hub": lambda s: s.hands.change_setting(s.vault, SETTING, hub="theirs"),
    "sent with another rule": lambda s: s.hands.change_setting(
        s.vault, SETTING, rule_id=f"{s.namespace_id}/authorizationRules/RootManageSharedAccessKey"
    ),
    "its category disabled": lambda s: s.hands.change_setting(
        s.vault, SETTING, categories=["AzurePolicyEvaluationDetails"], disable="AuditEvent"
    ),
    "a category added": lambda s: s.hands.change_setting(
        s.vault, SETTING, categories=["AuditEvent", "AzurePolicyEvaluationDetails"]
    ),
}
_EXPORT: dict[str, Break] = {
    "deleted": lambda s: s.hands.delete_export_rule(s.workspace, RULE),
    "disabled": lambda s: s.hands.change_export_rule(s.workspace, RULE, enabled=False),
    "its tables cut": lambda s: s.hands.change_export_rule(
        s.workspace, RULE, tables=sorted(ENTRA_TABLES)[1:]
    ),
    "a table added": lambda s: s.hands.change_export_rule(
        s.workspace, RULE, tables=[*sorted(ENTRA_TABLES), "Syslog"]
    ),
    "sent to another hub": lambda s: s.hands.change_export_rule(s.workspace, RULE, hub="theirs"),
}
_ALERTS: dict[str, Break] = {
    "deleted": lambda s: s.hands.delete_automation(s.automation),
    "disabled": lambda s: s.hands.change_automation(s.automation, isEnabled=False),
    "narrowed to some alerts": lambda s: s.hands.change_automation(
        s.automation, sources=[{"eventSource": "Alerts", "ruleSets": [{"rules": [_SEVERE]}]}]
    ),
    "its source changed": lambda s: s.hands.change_automation(
        s.automation, sources=[{"eventSource": "Assessments", "ruleSets": []}]
    ),
    "sent to another hub": lambda s: s.hands.change_automation(
        s.automation,
        actions=[
            {
                "actionType": "EventHub",
                "eventHubResourceId": f"{s.namespace_id}/eventhubs/theirs",
                "connectionString": "Endpoint=sb://theirs;SharedAccessKeyName=theirs;SharedAccessKey=made-up",
            }
        ],
    ),
}
_SEVERE = {
    "propertyJPath": "Severity",
    "propertyType": "String",
    "expectedValue": "high",
    "operator": "Equals",
}
_HUB: dict[str, Break] = {
    "deleted": lambda s: s.hands.delete_hub(HOME, "contoso"),
    "Capture switched off": lambda s: s.hands.change_capture(AWAY, "contoso", enabled=False),
    "Capture slowed down": lambda s: s.hands.change_capture(HOME, "contoso", intervalInSeconds=900),
    "Capture in another format": lambda s: s.hands.change_capture(AWAY, "contoso", encoding="AvroDeflate"),
    "retention cut": lambda s: s.hands.change_hub(
        HOME, "contoso", retentionDescription={"retentionTimeInHours": 1}
    ),
}
_POLICY: dict[str, Break] = {
    "deleted": lambda s: s.hands.act("DELETE", f"{s.namespace_id}/authorizationRules/diagnostics"),
    "its rights cut": lambda s: s.hands.act(
        "PUT", f"{s.namespace_id}/authorizationRules/diagnostics", {"properties": {"rights": ["Listen"]}}
    ),
}


_NAMESPACE: dict[str, Break] = {
    "its keys switched off": lambda s: s.hands.act(
        "PATCH", s.namespace_id, {"properties": {"disableLocalAuth": True}}
    ),
    "Capture's identity taken away": lambda s: s.hands.act(
        "PATCH", s.namespace_id, {"identity": {"type": "None"}}
    ),
}

_KINDS = {
    "setting of a subscription": _ACTIVITY,
    "setting of a resource": _VAULT,
    "export rule": _EXPORT,
    "alert export": _ALERTS,
    "event hub": _HUB,
    "rule of a namespace": _POLICY,
    "namespace": _NAMESPACE,
}


async def test_what_is_broken_is_mended_and_nothing_else_is_touched(
    lab: Lab, subtests: pytest.Subtests
) -> None:
    """One object of each kind is broken at once, each time in another way."""
    standing = await stand(lab)
    whole, foreign = standing.picture(), standing.foreign()
    for number in range(max(map(len, _KINDS.values()))):
        breaks = {kind: list(ways.items())[number] for kind, ways in _KINDS.items() if number < len(ways)}
        with subtests.test(", ".join(f"{kind} {way}" for kind, (way, _) in breaks.items())):
            for kind, (way, break_it) in breaks.items():
                before = standing.picture()
                break_it(standing)
                assert standing.picture() != before, f"{kind} {way}: nothing was broken"

            await standing.sweep()

            assert standing.picture() == whole
            await standing.assert_whole()
            standing.assert_foreign_untouched(foreign)
