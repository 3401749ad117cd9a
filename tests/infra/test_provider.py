"""The provider's side: what the app needs is there, and nobody has more than is listed."""

import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.capture.evidence import EVENT, report
from shared.capture.handoff import CONDENSED_QUEUE
from shared.model.captures import CaptureState, Container
from shared.model.jobs import Step
from shared.settings import SCHEDULES, STORAGE_CONNECTION, Settings
from shared.store.blobs import ContainerName
from shared.store.ledger import LedgerEntry
from shared.store.tables import TableName
from tests.helpers.facts import ENVIRONMENT, NOW, a_guid, a_role
from tests.infra.evaluate import INFRA, Deployed, Resource, deploy, parameters_of

_ROOT = INFRA.parent
_PARAMETERS = ["main.bicepparam", "parameters/small.bicepparam", "parameters/large.bicepparam"]
_STORAGE = "Microsoft.Storage/storageAccounts"
_PLATFORM = {"deployment-package", "event-grid-dead-letter"}
"""Containers of the platform, not of the app."""

_ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "f1a07417-d97a-45cb-824c-7a7467783830": "Managed Identity Operator",
}
_ALLOWED = {
    ("app", "Storage Blob Data Owner", "storageAccounts"): "the host's leases; files in and out; links",
    ("app", "Storage Queue Data Contributor", "storageAccounts"): "jobs, and what is handed on",
    ("app", "Storage Table Data Contributor", "storageAccounts"): "everything it remembers",
    ("app", "Monitoring Metrics Publisher", "components"): "logs and traces without a key",
    (
        "app",
        "Managed Identity Operator",
        "userAssignedIdentities",
    ): "attaches Capture's identity to namespaces",
    ("app", "Lightkeeper Event Hubs Keeper", "resourceGroups"): "namespaces, hubs, rules; reading roles",
    ("capture", "Storage Blob Data Contributor", "storageAccounts"): "writes capture files",
    ("topic", "Storage Blob Data Contributor", "containers"): "keeps what could not be delivered",
}
"""Every role assignment that there may be, and why; docs/permissions.md says the same at length."""


@pytest.fixture(scope="module", params=_PARAMETERS)
def deployed(request: pytest.FixtureRequest) -> Deployed:
    file, parameters = parameters_of(INFRA / request.param)
    return deploy(file, parameters)


class _Recorded(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return ENVIRONMENT[name]

    def __iter__(self) -> Iterator[str]:
        return iter(ENVIRONMENT)

    def __len__(self) -> int:
        return len(ENVIRONMENT)


def _read_by_the_app() -> set[str]:
    environment = _Recorded()
    Settings.from_environment(environment)
    return (environment.asked | set(SCHEDULES)) - {STORAGE_CONNECTION}


def _connection(name: str) -> set[str]:
    return {
        f"{name}__{part}"
        for part in ("blobServiceUri", "queueServiceUri", "tableServiceUri", "credential", "clientId")
    }


def _settings(deployed: Deployed) -> dict[str, Any]:
    (config,) = deployed.of("Microsoft.Web/sites/config")
    settings: dict[str, Any] = config.body["properties"]
    return settings


def _names(deployed: Deployed, kind: str) -> set[str]:
    return {each.name.rpartition("/")[2] for each in deployed.of(kind)}


def test_every_setting_that_the_app_reads_is_set_and_none_is_orphaned(deployed: Deployed) -> None:
    ours = {name for name in _settings(deployed) if not name.startswith(("APPLICATIONINSIGHTS_", "OTEL_"))}
    wanted = _read_by_the_app() | _connection(STORAGE_CONNECTION) | _connection("AzureWebJobsStorage")
    assert ours == wanted


def test_the_sample_has_every_setting_and_no_other() -> None:
    sample = json.loads((_ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))["Values"]
    host = {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}
    assert sample.keys() - host == _read_by_the_app() | {STORAGE_CONNECTION}


def test_no_placeholder_of_the_sample_is_deployed(deployed: Deployed) -> None:
    assert not [name for name, value in _settings(deployed).items() if "00000000-0000-0000" in str(value)]


def test_no_log_is_dropped_by_sampling_since_alerts_count_them(deployed: Deployed) -> None:
    settings = _settings(deployed)
    host = json.loads((_ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["telemetryMode"] == "OpenTelemetry", "what follows holds for its exporter"
    assert settings["OTEL_TRACES_SAMPLER"] == "microsoft.fixed_percentage"
    assert float(settings["OTEL_TRACES_SAMPLER_ARG"]) == 1


def test_connections_are_by_identity(deployed: Deployed) -> None:
    settings = _settings(deployed)
    for connection in (STORAGE_CONNECTION, "AzureWebJobsStorage"):
        assert settings[f"{connection}__credential"] == "managedidentity"
        assert connection not in settings
    secret = re.compile(r"accountkey|sharedaccess|password|listkeys", re.IGNORECASE)
    assert not [name for name, value in settings.items() if secret.search(f"{name}{value}")]


def test_the_app_accepts_the_settings_that_it_is_given(deployed: Deployed) -> None:
    known = {
        name: value if isinstance(value, str) else "https://known-later.example"
        for name, value in _settings(deployed).items()
    }
    identity = {"AZURE_CLIENT_ID": "", "LIGHTKEEPER_PRINCIPAL_ID": ""}
    settings = Settings.from_environment({**known, **identity})
    assert settings.arm_url == "https://management.azure.com"
    assert settings.hub_resource_group.endswith("-hubs")


def test_everything_that_the_app_stores_in_is_there(deployed: Deployed) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((_ROOT / "functions").glob("*.py")))
    jobs = set(re.findall(r'queue_trigger\("\w+", "([\w-]+)"', source))
    assert jobs > {step.queue for step in Step}
    containers = {each.value for each in (*ContainerName, *Container)}
    assert _names(deployed, f"{_STORAGE}/blobServices/containers") == containers | _PLATFORM
    assert _names(deployed, f"{_STORAGE}/tableServices/tables") == {*TableName}
    assert _names(deployed, f"{_STORAGE}/queueServices/queues") == (
        jobs | {f"{name}-poison" for name in jobs} | {CONDENSED_QUEUE}
    )


def test_every_role_assignment_is_allowed_and_has_its_reason(deployed: Deployed) -> None:
    (custom,) = deployed.of("Microsoft.Authorization/roleDefinitions")
    custom_name = str(custom.body["properties"]["roleName"]).partition(" (")[0]

    def described(each: Resource) -> tuple[str, str, str]:
        properties = each.body["properties"]
        role = str(properties["roleDefinitionId"]).rpartition("/")[2]
        who = re.sub(
            r"^.*\.principalId$",
            lambda path: path[0].split(".")[0],
            str(properties["principalId"]).strip("<>"),
        )
        return who, _ROLES.get(role, custom_name if role == custom.name else role), each.scope.split("/")[-2]

    found = [described(each) for each in deployed.of("Microsoft.Authorization/roleAssignments")]
    assert sorted(found) == sorted(_ALLOWED)


def test_the_role_of_our_own_can_neither_read_events_nor_give_rights(deployed: Deployed) -> None:
    (role,) = deployed.of("Microsoft.Authorization/roleDefinitions")
    (permissions,) = role.body["properties"]["permissions"]
    assert permissions["dataActions"] == []
    others = {action for action in permissions["actions"] if not action.startswith("Microsoft.EventHub/")}
    assert others == {"Microsoft.Authorization/roleDefinitions/read"}
    assert not a_role(actions=tuple(permissions["actions"])).allows("Microsoft.EventHub/namespaces/delete")
    assert role.body["properties"]["assignableScopes"] == [role.scope]
    assert role.scope.endswith("-hubs")


def test_nothing_can_be_opened_with_a_key_and_nothing_is_public(deployed: Deployed) -> None:
    (account,) = deployed.of("Microsoft.Storage/storageAccounts")
    storage = account.body["properties"]
    assert storage["allowSharedKeyAccess"] is False
    assert storage["allowBlobPublicAccess"] is False
    assert storage["minimumTlsVersion"] == "TLS1_2"
    assert storage["supportsHttpsTrafficOnly"] is True
    for container in deployed.of("Microsoft.Storage/storageAccounts/blobServices/containers"):
        assert container.body["properties"]["publicAccess"] == "None"
    (insights,) = deployed.of("Microsoft.Insights/components")
    (workspace,) = deployed.of("Microsoft.OperationalInsights/workspaces")
    assert insights.body["properties"]["DisableLocalAuth"] is True
    assert workspace.body["properties"]["features"]["disableLocalAuth"] is True
    doors = deployed.of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert {each.name.rpartition("/")[2]: each.body["properties"]["allow"] for each in doors} == {
        "ftp": False,
        "scm": False,
    }


def test_the_app_runs_on_flex_consumption_as_itself(deployed: Deployed) -> None:
    (plan,) = deployed.of("Microsoft.Web/serverfarms")
    (app,) = deployed.of("Microsoft.Web/sites")
    assert plan.body["sku"] == {"name": "FC1", "tier": "FlexConsumption"}
    assert [each for each in deployed.resources if "azd-service-name" in each.body.get("tags", {})] == [app]
    assert app.body["tags"]["azd-service-name"] == "app"
    assert app.body["identity"]["type"] == "UserAssigned"
    config = app.body["properties"]["functionAppConfig"]
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    assert config["deployment"]["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    assert config["deployment"]["storage"]["value"].endswith("deployment-package")
    assert app.body["properties"]["httpsOnly"] is True


def test_private_networking_closes_storage_and_puts_the_app_inside() -> None:
    file, parameters = parameters_of(INFRA / "parameters/large.bicepparam")
    for private in (True, False):
        deployed = deploy(file, {**parameters, "privateNetworking": private})
        (account,) = deployed.of("Microsoft.Storage/storageAccounts")
        (app,) = deployed.of("Microsoft.Web/sites")
        endpoints = deployed.of("Microsoft.Network/privateEndpoints")
        assert account.body["properties"]["networkAcls"] == {
            "bypass": "AzureServices",
            "defaultAction": "Deny" if private else "Allow",
        }
        assert bool(app.body["properties"]["virtualNetworkSubnetId"]) == private
        groups = [
            each.body["properties"]["privateLinkServiceConnections"][0]["properties"]["groupIds"]
            for each in endpoints
        ]
        assert groups == ([["blob"], ["queue"], ["table"]] if private else [])


def test_everything_carries_the_tags_that_can(deployed: Deployed) -> None:
    tagged = [each for each in deployed.resources if not each.existing and "location" in each.body]
    assert tagged
    assert not [
        each.type for each in tagged if "azd-env-name" not in each.body.get("tags", {"azd-env-name": ""})
    ]


def test_alerts_and_budget_reach_somebody_or_nobody_is_promised_it() -> None:
    file, parameters = parameters_of(INFRA / "parameters/small.bicepparam")
    for email in ("operators@example.com", ""):
        deployed = deploy(file, {**parameters, "alertEmail": email, "budgetStart": "2026-11-01"})
        rules = deployed.of("Microsoft.Insights/scheduledQueryRules")
        assert len(rules) == 5
        assert all(bool(each.body["properties"]["actions"]["actionGroups"]) == bool(email) for each in rules)
        assert bool(deployed.of("Microsoft.Consumption/budgets")) == bool(email)


def _queries() -> list[str]:
    items = json.loads((INFRA / "app/workbook.json").read_text(encoding="utf-8"))["items"]
    rules = deploy(*parameters_of(INFRA / "main.bicepparam")).of("Microsoft.Insights/scheduledQueryRules")
    found = [item["content"]["query"] for item in items if "query" in item["content"]]
    return found + [each.body["properties"]["criteria"]["allOf"][0]["query"] for each in rules]


def test_alerts_and_the_workbook_look_for_what_the_app_logs() -> None:
    wanted = {words for each in _queries() for words in re.findall(r'Message startswith "([^"]+)"', each)}
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((_ROOT / "shared").rglob("*.py")))
    assert len(wanted) == 8
    for words in wanted - {f"{EVENT} "}:
        begin = re.escape(words.partition("=")[0].strip())
        assert re.search(rf'_log\.\w+\(\s*"{begin}', source), words


def test_alerts_and_the_workbook_read_what_every_run_says_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    entry = LedgerEntry(
        integration_id=a_guid(1),
        run="run",
        day=NOW,
        source="keeper-westeurope-1/contoso/0/2026/11/21/12/00/00.avro",
        state=CaptureState.DONE,
    )
    with caplog.at_level(logging.INFO):
        report(entry)
    (line,) = caplog.messages
    queries = [each for each in _queries() if "Run." in each]
    assert len(queries) == 5
    for query in queries:
        (begin,) = re.findall(r'startswith "(lightkeeper[^"]+)"', query)
        assert line.startswith(begin)
        assert f"substring(Message, {len(begin)})" in query
        run = json.loads(line[len(begin) :])
        assert set(re.findall(r"Run\.(\w+)", query)) <= run.keys()
        assert run["source"].split("/")[1] == "contoso"


def test_what_raised_problems_say_can_be_taken_apart() -> None:
    line = "problem raised reason=over_cap where=x integration=y"
    parsed = [found for each in _queries() for found in re.findall(r"parse Message with ([^|]+)", each)]
    assert len(parsed) == 2
    for found in parsed:
        rest = line
        for literal in re.findall(r'"([^"]*)"', found):
            assert literal in rest
            rest = rest.partition(literal)[2]


def test_event_grid_sends_capture_files_to_the_function_and_keeps_what_it_cannot_deliver() -> None:
    given = {"systemTopicName": "topic", "functionAppName": "app", "storageName": "storage"}
    (subscription,) = deploy(INFRA / "app/event-subscription.bicep", given).of(
        "Microsoft.EventGrid/systemTopics/eventSubscriptions"
    )
    properties = subscription.body["properties"]
    function = properties["destination"]["properties"]["resourceId"].rpartition("/")[2]
    assert f'function_name("{function}")' in (_ROOT / "functions/capture.py").read_text(encoding="utf-8")
    assert properties["filter"] == {
        "includedEventTypes": ["Microsoft.Storage.BlobCreated"],
        "subjectBeginsWith": f"/blobServices/default/containers/{Container.CAPTURE}/blobs/",
        "subjectEndsWith": ".avro",
    }
    assert properties["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}
    dead = properties["deadLetterWithResourceIdentity"]["deadLetterDestination"]["properties"]
    assert dead["blobContainerName"] in _PLATFORM


def test_hooks_are_there_for_both_kinds_of_shell() -> None:
    text = (_ROOT / "azure.yaml").read_text(encoding="utf-8")
    named = re.findall(r"run: (\S+)", text)
    assert {Path(each).name for each in named} == {path.name for path in (INFRA / "hooks").iterdir()}
    assert all((_ROOT / each).is_file() for each in named)
    assert all(os.access(path, os.X_OK) for path in (INFRA / "hooks").glob("*.sh"))
    assert "path: infra\n" in text
    assert "module: main\n" in text


@pytest.mark.parametrize("hook", ["postdeploy.sh", "postdeploy.ps1"])
def test_hooks_give_the_event_subscription_all_that_it_asks_for(hook: str) -> None:
    text = (INFRA / "hooks" / hook).read_text(encoding="utf-8")
    asked = set(re.findall(r"(?m)^param (\w+) string$", (INFRA / "app/event-subscription.bicep").read_text()))
    assert set(re.findall(r"(?m)^ +(\w+)=", text)) == asked
    given = set(re.findall(r"AZURE_\w+", text)) - {"AZURE_SUBSCRIPTION_ID"}
    assert given <= deploy(*parameters_of(INFRA / "main.bicepparam")).outputs.keys()
