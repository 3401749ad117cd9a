"""Plays recorded calls of the real Azure again, each in a simulated Azure where all that it needs stands."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from local.azure.app import SimulatedAzure
from local.azure.clock import Clock
from local.azure.estate import add_customer, build_world
from local.azure.hands import Hands
from local.azure.http import Request, Response
from local.azure.log_categories import categories_of
from local.azure.scopes import resource_type_of
from tests.local.azure.azure_bench import PROVIDER, capture_description
from tests.local.azure.recordings import missing_keys

_BAD_REQUEST, _NOT_FOUND = 400, 404
_GUID = "11111111-2222-4333-8444-555555555555"
_NAMESPACE = (
    f"/subscriptions/{PROVIDER.subscription_id}/resourceGroups/{PROVIDER.group}"
    "/providers/Microsoft.EventHub/namespaces/lightkeeper-weu-1"
)
_RULE = f"{_NAMESPACE}/authorizationRules/ours"
_NAMES = {
    "namespaces": "lightkeeper-weu-1",
    "eventhubs": "contoso",
    "authorizationrules": "ours",
    "consumergroups": "ours",
    "operationresults": "lightkeeper-weu-1",
    "networkrulesets": "default",
    "workspaces": "logs",
    "dataexports": "ours",
    "diagnosticsettings": "ours",
    "registrationdefinitions": _GUID,
    "registrationassignments": _GUID,
    "operationstatuses": _GUID,
}
"""How what stands on the stage is called, by the segment before its name in a path."""

_HUBS = "2026-01-01"
_SETTINGS = "/providers/microsoft.insights/diagnosticsettings"
_LINKED = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.eventhub/namespaces/[^/\"]+"
    r"(?P<rule>/authorizationrules/[^/\"]+)?",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.storage/storageaccounts/[^/\"]+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded call.

    Attributes:
        method: HTTP method.
        template: path in lower case with `{}` for names.
        url: as it was called.
        body: as sent.
        status: of the answer.
        answer: its body.
        content_type: of the answer, or empty.
    """

    method: str
    template: str
    url: str
    body: Any
    status: int
    answer: Any
    content_type: str

    @property
    def query(self) -> dict[str, str]:
        """Parameters of the call; a token for a later page leads nowhere here."""
        named = dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))
        return {key: value for key, value in named.items() if key.lower() != "$skiptoken"}


def recordings(samples: Path, file: str) -> Iterator[Recording]:
    """The recorded calls of a file."""
    for line in (samples / "arm" / f"{file}.jsonl").read_text().splitlines():
        call = json.loads(line)
        _, _, template = call["operation"].partition(" ")
        yield Recording(
            call["method"],
            template.lower(),
            call["url"],
            call["request_body"],
            call["status"],
            call["response_body"],
            call["response_headers"].get("content-type", ""),
        )


class Stage:
    """A simulated Azure with one of everything in it, and a caller who may do anything."""

    def __init__(self) -> None:
        world = build_world(PROVIDER, seed=7, clock=Clock())
        self.customer = add_customer(world, "contoso", 2, not_delegated=1, regions=("westeurope",))
        world.principals[""] = replace(world.app, unlimited=True)
        self.azure = SimulatedAzure(world)
        self.hands = Hands(self.azure)
        self._token, _ = self.azure.identity.issue(world.app)

    def play(self, call: Recording) -> Response:
        """Set up what a call needs, and make it."""
        path = self.path_of(call)
        self._set_up(call, path)
        return self.ask(call.method, path, _body(call), **call.query)

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Response:  # noqa: ANN401 - any JSON
        """A call with a JSON body."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        return self.azure.handle(Request(method, f"http://azure{path}?{urlencode(query)}", headers, content))

    def path_of(self, call: Recording) -> str:
        """The recorded path, with the names of what stands here; what is made has a name of its own."""
        ours = "microsoft.eventhub" in call.template
        names = {
            **_NAMES,
            "subscriptions": PROVIDER.subscription_id if ours else self.customer.delegated[0],
            "resourcegroups": PROVIDER.group if ours else "contoso-rg",
            "diagnosticsettingscategories": unquote(urlsplit(call.url).path).rpartition("/")[2],
        }
        segments = call.template.split("/")
        for number, segment in enumerate(segments):
            if segment == "{}":
                segments[number] = names.get(segments[number - 1], "one")
        if call.method == "PUT" and segments[-2] in ("namespaces", "eventhubs", "workspaces"):
            segments[-1] = "brand-new"
        if call.status == _NOT_FOUND:
            segments[-1] = "nowhere"
        return "/".join(segments)

    def _set_up(self, call: Recording, path: str) -> None:
        scope, marker, _ = path.partition(_SETTINGS)
        if "microsoft.eventhub" in call.template:
            self._add_hubs()
            if call.method == "GET" and call.template.endswith("/namespaces/{}"):
                self._shape_namespace(call.answer)
        elif marker:
            self._add_hubs()
            self._add_setting(scope)
        elif "/workspaces" in path:
            self._add_hubs()
            self._add_rule()
            if call.status == _BAD_REQUEST:
                self._add_rival(call.body["properties"]["tableNames"])
        elif "microsoft.managedservices" in path:
            self._delegate(assigned=call.method != "DELETE" or "assignments" in path)

    def _add_hubs(self) -> None:
        identity = {"type": "UserAssigned", "userAssignedIdentities": {PROVIDER.identity_id: {}}}
        body = {"location": "westeurope", "sku": {"name": "Standard"}, "identity": identity}
        self._put(_NAMESPACE, _HUBS, body)
        self.azure.world.clock.move(self.azure.world.namespace_seconds)
        hub = {"partitionCount": 2, "captureDescription": capture_description()}
        self._put(f"{_NAMESPACE}/eventhubs/contoso", _HUBS, {"properties": hub})
        rights = {"properties": {"rights": ["Listen", "Manage", "Send"]}}
        for place in (_NAMESPACE, f"{_NAMESPACE}/eventhubs/contoso"):
            self._put(f"{place}/authorizationRules/ours", _HUBS, rights)
        group = f"{_NAMESPACE}/eventhubs/contoso/consumergroups/ours"
        self._put(group, _HUBS, {"properties": {"userMetadata": "text"}})

    def _shape_namespace(self, answer: Any) -> None:  # noqa: ANN401 - any JSON
        """Give the namespace what the recorded one had besides."""
        more = {key: answer[key] for key in ("identity",) if key in answer}
        self._put(_NAMESPACE, _HUBS, {**more, "properties": answer["properties"]})

    def _add_setting(self, scope: str) -> None:
        kind = resource_type_of(scope)
        if kind:
            self.hands.write_resource(scope, "westeurope")
        category = (categories_of(kind) or ("",))[0]
        properties = {
            "eventHubAuthorizationRuleId": _RULE,
            "eventHubName": "contoso",
            "logs": [{"category": category, "enabled": True}],
        }
        self.hands.write_setting(scope, "ours", properties)

    def _add_rule(self) -> None:
        workspace = self.hands.add_workspace(self.customer.delegated[0], "contoso-rg", "logs", "westeurope")
        self.hands.write_export_rule(
            workspace, "ours", namespace_id=_NAMESPACE, hub="contoso", tables=["SigninLogs"]
        )

    def _add_rival(self, tables: list[str]) -> None:
        """A rule that has taken the tables already."""
        workspace = f"/subscriptions/{self.customer.delegated[0]}/resourceGroups/contoso-rg"
        workspace += "/providers/Microsoft.OperationalInsights/workspaces/logs"
        account = (
            f"{workspace.partition('/providers/')[0]}/providers/Microsoft.Storage/storageAccounts/theirs"
        )
        self.hands.write_export_rule(workspace, "rival", namespace_id=account, hub="", tables=tables)

    def _delegate(self, *, assigned: bool) -> None:
        """A definition, and an assignment of it if it is to have one."""
        place = f"/subscriptions/{self.customer.delegated[0]}/providers/Microsoft.ManagedServices"
        reader = {"principalId": _GUID, "roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7"}
        properties = {
            "registrationDefinitionName": "ours",
            "description": "ours",
            "managedByTenantId": _GUID,
            "authorizations": [reader],
        }
        definition = f"{place}/registrationDefinitions/{_GUID}"
        self.hands.act("PUT", definition, {"properties": properties})
        if assigned:
            body = {"properties": {"registrationDefinitionId": definition}}
            self.hands.act("PUT", f"{place}/registrationAssignments/{_GUID}", body)

    def _put(self, path: str, version: str, body: Any) -> None:  # noqa: ANN401 - any JSON
        answer = self.ask("PUT", path, body, **{"api-version": version})
        assert answer.ok, answer.body


def differences(call: Recording, answer: Response) -> list[str]:
    """In what a simulated answer differs: status, type of content, keys that it lacks, and their types."""
    found: list[str] = []
    if answer.status != call.status:
        found.append(f"status {answer.status}, not {call.status}: {answer.body[:200]!r}")
    kind, known = (
        text.partition(";")[0] for text in (answer.headers.get("Content-Type", ""), call.content_type)
    )
    if known and call.answer is not None and kind != known:
        found.append(f"content {kind}, not {known}")
    if (call.answer is None) != (not answer.body):
        found.append("one has a body and the other has none")
    if call.answer is not None and answer.body:
        is_json = "json" in answer.headers.get("Content-Type", "")
        found += missing_keys(call.answer, json.loads(answer.body) if is_json else answer.body.decode())
    return found


def _body(call: Recording) -> Any:  # noqa: ANN401 - any JSON
    """What was sent, but pointing to what stands here."""
    if call.body is None:
        return None
    text = _LINKED.sub(_to_ours, json.dumps(call.body))
    text = re.sub(r'"eventHubName": "[^"]*"', '"eventHubName": "contoso"', text)
    text = re.sub(r"(?<=/registrationDefinitions/)[^\"/]+", _GUID, text)
    if "microsoft.eventhub" in call.template:
        text = _ACCOUNT.sub(PROVIDER.storage_id, text)
    body = json.loads(text)
    if call.method == "PATCH":
        body["location"] = "westeurope"
    return body


def _to_ours(found: re.Match[str]) -> str:
    return _RULE if found["rule"] else _NAMESPACE
