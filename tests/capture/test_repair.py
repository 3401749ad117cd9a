"""Which entries lead to which jobs."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.capture.parts import Parts
from shared.capture.repair import MOST_PER_STEP, Ours, RepairTarget, bounded, job_of, repairs_of
from shared.model.jobs import Cause, Job, Phase, Step
from tests.capture.activity_log import capture_file, entry, envelope, in_one_part, record
from tests.capture.app import OURS
from tests.helpers.facts import settings

SUBSCRIPTION = "0a1b2c3d-0000-4000-8000-0123456789ab"
_SUB = f"/subscriptions/{SUBSCRIPTION}"
_VAULT = f"{_SUB}/resourcegroups/rg-one/providers/microsoft.keyvault/vaults/kv-one"
_WORKSPACE = f"{_SUB}/resourcegroups/logs/providers/microsoft.operationalinsights/workspaces/entra"
_AUTOMATIONS = f"{_SUB}/resourcegroups/lightkeeperautomation/providers/microsoft.security/automations"
_EXPORTS = "Microsoft.OperationalInsights/workspaces/dataExports"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_DELEGATION = "Microsoft.ManagedServices/registrationAssignments"
_INSIGHTS = "providers/microsoft.insights/diagnosticSettings"

_SUBSCRIPTION_SETTING = {RepairTarget(Step.SUBSCRIPTION_SETTINGS, SUBSCRIPTION)}
_VAULT_SETTING = {RepairTarget(Step.RESOURCE_SETTINGS, _VAULT)}
_EXPORT = {RepairTarget(Step.WORKSPACE_EXPORTS, _WORKSPACE)}
_ALERTS = {RepairTarget(Step.ALERT_EXPORTS, SUBSCRIPTION)}
_DELEGATIONS = {RepairTarget(Step.SUBSCRIPTIONS)}
_EVERYWHERE = {
    RepairTarget(Step.SUBSCRIPTION_SETTINGS, SUBSCRIPTION),
    RepairTarget(Step.RESOURCE_SETTINGS, SUBSCRIPTION),
}

_LEADS_TO: list[tuple[str, str, set[RepairTarget]]] = [
    (
        "Microsoft.Insights/diagnosticSettings/delete",
        f"{_SUB}/{_INSIGHTS}/Lightkeeper-Logs",
        _SUBSCRIPTION_SETTING,
    ),
    (
        "Microsoft.Insights/diagnosticSettings/write",
        f"{_SUB}/{_INSIGHTS}/Lightkeeper-Logs",
        _SUBSCRIPTION_SETTING,
    ),
    (
        "Microsoft.Insights/diagnosticSettings/write",
        f"subscriptions/{SUBSCRIPTION}/providers/AzureResourceManager/diagnosticSettings/Lightkeeper-Logs",
        _SUBSCRIPTION_SETTING,
    ),
    ("Microsoft.Insights/diagnosticSettings/delete", f"{_SUB}/{_INSIGHTS}", _SUBSCRIPTION_SETTING),
    ("Microsoft.Insights/diagnosticSettings/delete", _SUB, _SUBSCRIPTION_SETTING),
    ("Microsoft.Insights/diagnosticSettings/write", f"{_SUB}/{_INSIGHTS}/eventhub", set()),
    ("Microsoft.Insights/diagnosticSettings/write", f"{_SUB}/{_INSIGHTS}/Lightkeeper-Logs-2", set()),
    (
        "Microsoft.Insights/diagnosticSettings/delete",
        f"{_VAULT}/{_INSIGHTS}/Lightkeeper-Logs",
        _VAULT_SETTING,
    ),
    ("Microsoft.Insights/diagnosticSettings/write", f"{_VAULT}/{_INSIGHTS}/Lightkeeper-Logs", _VAULT_SETTING),
    ("Microsoft.Insights/diagnosticSettings/write", _VAULT, _VAULT_SETTING),
    ("Microsoft.Insights/diagnosticSettings/write", f"{_VAULT}/{_INSIGHTS}/theirs", set()),
    ("Microsoft.Insights/diagnosticSettings/read", f"{_VAULT}/{_INSIGHTS}/Lightkeeper-Logs", set()),
    (
        "Microsoft.Insights/diagnosticSettings/write",
        f"/providers/microsoft.aadiam/{_INSIGHTS}/Lightkeeper-Logs",
        set(),
    ),
    ("Microsoft.Insights/diagnosticSettings/write", "", set()),
    (f"{_EXPORTS}/delete", f"{_WORKSPACE}/dataExports/Lightkeeper-Entra-Data-Export", _EXPORT),
    (f"{_EXPORTS}/write", f"{_WORKSPACE}/dataExports/Lightkeeper-Entra-Data-Export", _EXPORT),
    (f"{_EXPORTS}/write", f"{_WORKSPACE}/dataExports/Older-Entra", _EXPORT),
    (f"{_EXPORTS}/write", _WORKSPACE, _EXPORT),
    (f"{_EXPORTS}/write", f"{_WORKSPACE}/dataExports/theirs", set()),
    ("Microsoft.OperationalInsights/workspaces/delete", _WORKSPACE, _EXPORT),
    ("Microsoft.OperationalInsights/workspaces/write", _WORKSPACE, set()),
    ("Microsoft.Security/automations/delete", f"{_AUTOMATIONS}/LightkeeperDefenderForCloudExport", _ALERTS),
    ("Microsoft.Security/automations/write", f"{_AUTOMATIONS}/LightkeeperDefenderForCloudExport", _ALERTS),
    ("Microsoft.Security/automations/write", f"{_AUTOMATIONS}/ExportToWorkspace", set()),
    ("Microsoft.Security/automations/write", f"{_AUTOMATIONS}/NotLightkeeperDefenderForCloudExport", set()),
    (f"{_GROUPS}/delete", f"{_SUB}/resourceGroups/LightkeeperAutomation", _ALERTS),
    (f"{_GROUPS}/delete", f"{_SUB}/resourceGroups/rg-one", set()),
    (f"{_GROUPS}/write", f"{_SUB}/resourceGroups/LightkeeperAutomation", set()),
    (f"{_DELEGATION}/delete", f"{_SUB}/providers/{_DELEGATION}/{SUBSCRIPTION}", _DELEGATIONS),
    (f"{_DELEGATION}/write", _SUB, _DELEGATIONS),
    ("Microsoft.ManagedServices/registrationDefinitions/write", _SUB, set()),
    ("Microsoft.KeyVault/vaults/write", _VAULT, {RepairTarget(Step.RESOURCES, _VAULT)}),
    ("Microsoft.KeyVault/vaults/delete", f"{_VAULT}/", {RepairTarget(Step.RESOURCES, _VAULT)}),
    ("Microsoft.KeyVault/vaults/accessPolicies/write", f"{_VAULT}/accessPolicies/add", set()),
    ("Microsoft.KeyVault/vaults/write", f"{_VAULT}/secrets/one", set()),
    ("Microsoft.KeyVault/vaults/write", f"{_VAULT}{'-one' * 20_000}", set()),
    ("Microsoft.Insights/diagnosticSettings/write", f"{_VAULT}{'-one' * 20_000}", set()),
    ("Microsoft.Web/sites/write", f"{_SUB}/resourceGroups/rg/providers/Microsoft.Web/sites/one", set()),
    (f"{_GROUPS}/moveResources/action", f"{_SUB}/resourceGroups/rg-one", {RepairTarget(Step.RESOURCES)}),
    (f"{_GROUPS}/validateMoveResources/action", f"{_SUB}/resourceGroups/rg-one", set()),
    ("Microsoft.Insights/unregister/action", f"{_SUB}/providers/Microsoft.Insights", _EVERYWHERE),
    ("Microsoft.Insights/register/action", _SUB, _EVERYWHERE),
    ("Microsoft.KeyVault/unregister/action", _SUB, set()),
]


def odd(text: str) -> str:
    return "".join(letter.upper() if number % 3 else letter.lower() for number, letter in enumerate(text))


def done(operation: str, resource: str, **fields: object) -> dict[str, Any]:
    return record("Success") | {"operationName": operation, "resourceId": resource} | fields


def called_by(
    *, appid: str | None = None, object_id: str | None = None, principal: str | None = None
) -> dict[str, object]:
    """The field `identity` of an entry."""
    object_id_claim = "http://schemas.microsoft.com/identity/claims/objectidentifier"
    claims = {"appid": appid, object_id_claim: object_id, "ver": "1.0"}
    evidence = {"role": "Owner", "principalId": principal}
    return {
        "authorization": {"scope": "/", "evidence": {name: each for name, each in evidence.items() if each}},
        "claims": {name: each for name, each in claims.items() if each},
    }


@pytest.mark.parametrize("spelling", [str, str.upper, str.lower, odd])
@pytest.mark.parametrize(("operation", "resource", "targets"), _LEADS_TO)
def test_an_operation_leads_to_its_targets_however_it_is_spelled(
    operation: str, resource: str, targets: set[RepairTarget], spelling: Callable[[str], str]
) -> None:
    assert repairs_of([entry(done(spelling(operation), spelling(resource)))], OURS) == targets


def started(operation: str, resource: str) -> dict[str, Any]:
    return record("Start", operationName=operation, resourceId=resource)


@pytest.mark.parametrize("spelling", [str, odd])
@pytest.mark.parametrize(("operation", "resource", "targets"), [each for each in _LEADS_TO if each[1]])
def test_an_operation_that_is_whole_in_a_file_leads_to_the_same_targets(
    operation: str, resource: str, targets: set[RepairTarget], spelling: Callable[[str], str]
) -> None:
    names = spelling(operation), spelling(resource)
    part = in_one_part([started(*names), done(*names)])
    assert len(part.whole) == 1
    assert repairs_of(part.administrative, OURS, part.whole) == targets


@pytest.mark.parametrize("status", ["Failure", "Cancelled"])
@pytest.mark.parametrize(("operation", "resource"), [each[:2] for each in _LEADS_TO if each[2]])
def test_a_whole_operation_without_success_changed_nothing(
    operation: str, resource: str, status: str
) -> None:
    end = record(status, operationName=operation, resourceId=resource)
    part = in_one_part([started(operation, resource), end])
    assert len(part.whole) == 1
    assert repairs_of(part.administrative, OURS, part.whole) == set()


def test_whose_whole_operation_it_is_is_told_by_its_success() -> None:
    operation, resource, targets = _LEADS_TO[0]
    us = called_by(appid="66666666-6666-4666-8666-666666666666")
    mine = in_one_part([started(operation, resource), done(operation, resource, identity=us)])
    theirs = in_one_part(
        [started(operation, resource) | {"identity": us}, done(operation, resource, identity=called_by())]
    )
    assert len(mine.whole) == len(theirs.whole) == 1
    assert repairs_of((), OURS, mine.whole) == set()
    assert repairs_of((), OURS, theirs.whole) == targets
    assert repairs_of((), OURS, [*mine.whole, *theirs.whole]) == targets


def test_of_whole_operations_only_those_that_may_concern_us_are_taken_apart() -> None:
    operation, resource, _ = _LEADS_TO[0]
    others = "Microsoft.Compute/virtualMachines/write", _VAULT
    parts = Parts("f")
    entries = [started(operation, resource), done(operation, resource), started(*others), done(*others)]
    entries[2:] = [one | {"correlationId": "c2"} for one in entries[2:]]
    assert [*parts.feed(capture_file([envelope(*entries)]), last=True)] == []
    ours, foreign = sorted(parts.rest().whole, key=lambda one: one.key)
    parts.rest()  # Now nobody can look at their texts any more.
    assert repairs_of((), OURS, [foreign]) == set()
    with pytest.raises(ValueError, match="released"):
        repairs_of((), OURS, [ours])


@pytest.mark.parametrize("status", ["Start", "Accept", "Failure", "Cancelled", "Whatever"])
@pytest.mark.parametrize(("operation", "resource"), [each[:2] for each in _LEADS_TO if each[2]])
def test_what_has_not_succeeded_changed_nothing(operation: str, resource: str, status: str) -> None:
    assert repairs_of([entry(record(status, operationName=operation, resourceId=resource))], OURS) == set()


@pytest.mark.parametrize("category", ["Policy", "Security", "Alert", "AuditEvent"])
def test_only_administrative_entries_tell_of_changes(category: str) -> None:
    operation, resource, _ = _LEADS_TO[0]
    assert repairs_of([entry(done(operation, resource, category=category))], OURS) == set()


def test_entries_of_old_exports_count_too() -> None:
    operation, resource, targets = _LEADS_TO[0]
    old = done(operation, resource, category="Delete", resultType="Succeeded", resultSignature="Succeeded.")
    assert repairs_of([entry(old)], OURS) == targets


def test_many_entries_about_one_object_are_one_target() -> None:
    operation, resource, targets = _LEADS_TO[0]
    spelled = [odd(resource), resource.upper(), resource.lower(), resource]
    entries = [entry(done(operation, each, correlation=f"c{n}"), n) for n, each in enumerate(spelled * 5)]
    assert repairs_of(entries, OURS) == targets


@pytest.mark.parametrize(
    "identity",
    [
        called_by(appid="66666666-6666-4666-8666-666666666666"),
        called_by(object_id="55555555-5555-4555-8555-555555555555"),
        called_by(object_id="55555555-5555-4555-8555-555555555555".upper().replace("-", "")),
        called_by(principal="55555555555545558555555555555555"),
        called_by(appid="04b07795-8ddb-461a-bbee-02f9e1bf7b46", principal="55555555555545558555555555555555"),
    ],
)
@pytest.mark.parametrize(("operation", "resource"), [each[:2] for each in _LEADS_TO])
def test_our_own_writes_lead_to_nothing(operation: str, resource: str, identity: dict[str, object]) -> None:
    assert repairs_of([entry(done(operation, resource, identity=identity))], OURS) == set()


@pytest.mark.parametrize(
    "identity",
    [
        None,
        "an identity as text",
        [],
        {},
        {"claims": None, "authorization": None},
        {"claims": {"appid": 7}},
        {"authorization": {"evidence": {"principalId": ["55555555555545558555555555555555"]}}},
        called_by(appid="04b07795-8ddb-461a-bbee-02f9e1bf7b46", principal="77777777777747778777777777777777"),
        {"claims": {"name": "66666666-6666-4666-8666-666666666666"}},
    ],
)
def test_whoever_is_not_known_as_us_is_somebody_else(identity: object) -> None:
    operation, resource, targets = _LEADS_TO[0]
    assert repairs_of([entry(done(operation, resource, identity=identity))], OURS) == targets


def test_a_change_by_somebody_else_counts_beside_our_own() -> None:
    operation, resource, targets = _LEADS_TO[0]
    ours = done(operation, resource, identity=called_by(appid="66666666-6666-4666-8666-666666666666"))
    theirs = done(operation, resource, correlation="c2")
    assert repairs_of([entry(ours), entry(theirs)], OURS) == targets


def test_an_app_that_does_not_know_its_identity_looks_at_its_own_writes_too() -> None:
    operation, resource, targets = _LEADS_TO[0]
    nobody = replace(OURS, identities=frozenset())
    ours = done(operation, resource, identity=called_by(appid="66666666-6666-4666-8666-666666666666"))
    assert repairs_of([entry(ours)], nobody) == targets
    assert repairs_of([entry(done(operation, resource, identity=called_by()))], OURS) == targets


@pytest.mark.parametrize("seed", range(20))
def test_foreign_names_lead_to_nothing_about_settings_rules_and_automations(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    letters = "abcLIGHTKEEPER-Logs0"
    name = "".join(chance.choices(letters, k=chance.randrange(1, 24)))
    parts = [
        ("Microsoft.Insights/diagnosticSettings", f"{_SUB}/{_INSIGHTS}/{name}"),
        ("Microsoft.Insights/diagnosticSettings", f"{_VAULT}/{_INSIGHTS}/{name}"),
        (_EXPORTS, f"{_WORKSPACE}/dataExports/{name}"),
        ("Microsoft.Security/automations", f"{_AUTOMATIONS}/{name}"),
    ]
    changes = [(f"{kind}/{change}", resource) for kind, resource in parts for change in ("write", "delete")]
    assert repairs_of([entry(done(*each)) for each in changes], OURS) == set()


def test_a_file_leads_to_a_bounded_number_of_jobs() -> None:
    vaults = {RepairTarget(Step.RESOURCES, f"{_VAULT}{number}") for number in range(MOST_PER_STEP + 1)}
    named = {RepairTarget(Step.RESOURCE_SETTINGS, f"{_VAULT}{number}") for number in range(MOST_PER_STEP)}
    assert bounded(vaults | named) == named | {RepairTarget(Step.RESOURCES)}
    assert bounded(()) == set()


def test_a_target_becomes_a_job_of_the_integration_that_the_hub_is_for() -> None:
    named = job_of(RepairTarget(Step.RESOURCES, _VAULT), "i1", "now")
    assert named == Job(Step.RESOURCES, Phase.TARGET, "now", Cause.LOG, "i1", _VAULT)
    assert job_of(RepairTarget(Step.RESOURCES), "i1", "now") == Job(
        Step.RESOURCES, Phase.PLAN, "now", Cause.LOG, "i1"
    )


def test_subscriptions_are_listed_for_all_integrations_at_once() -> None:
    assert job_of(RepairTarget(Step.SUBSCRIPTIONS), "i1", "now") == Job(
        Step.SUBSCRIPTIONS, Phase.PLAN, "now", Cause.LOG
    )


def test_names_and_identity_come_from_the_settings() -> None:
    found = Ours.named_by(settings(LIGHTKEEPER_BRAND="Acme"))
    assert found.setting == "acme-logs"
    assert found.export_rules == {"acme-entra-data-export"}
    assert (found.alert_export, found.alert_export_group) == ("acmedefenderforcloudexport", "acmeautomation")
    assert found.types == {"microsoft.keyvault/vaults"}
    assert found.identities == frozenset()
    assert OURS.export_rules == {"lightkeeper-entra-data-export", "older-entra"}
    assert OURS.identities == {"55555555555545558555555555555555", "66666666666646668666666666666666"}


def test_types_that_are_switched_on_are_looked_at_and_no_others() -> None:
    sites = replace(OURS, types=frozenset({"microsoft.web/sites"}))
    site = f"{_SUB}/resourcegroups/rg/providers/microsoft.web/sites/one"
    entries = [
        entry(done("MICROSOFT.WEB/SITES/WRITE", site)),
        entry(done("MICROSOFT.KEYVAULT/VAULTS/WRITE", _VAULT)),
    ]
    assert repairs_of(entries, sites) == {RepairTarget(Step.RESOURCES, site)}
