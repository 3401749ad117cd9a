"""A simulated Azure on an ephemeral port, with a customer in it, and the real SDK clients that talk to it."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.eventhub.aio import EventHubManagementClient
from azure.mgmt.loganalytics.aio import LogAnalyticsManagementClient
from azure.mgmt.monitor.aio import MonitorManagementClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient

from local.azure.app import SimulatedAzure
from local.azure.clock import Clock
from local.azure.estate import Customer, Provider, add_customer, build_world
from local.azure.hands import Hands
from local.azure.http import Request, Response
from local.azure.server import Server
from local.azure.world import World

PROVIDER = Provider("10000000-0000-4000-8000-000000000001", "20000000-0000-4000-8000-000000000002")


class Bearer(SansIOHTTPPolicy[Any, Any]):
    """Puts a token into every call, over plain http too."""

    def __init__(self, token: str) -> None:
        self.token = token

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self.token}"


class NoCredential:
    """The clients insist on one; the policy above does the work."""

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing to let go of."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to let go of."""


@dataclass
class Bench:
    """One simulated Azure with a customer in it, and its clients."""

    azure: SimulatedAzure
    server: Server
    customer: Customer
    clients: list[Any] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.azure.world

    @property
    def token(self) -> str:
        return self.azure.identity.issue(self.world.app)[0]

    def options(self) -> dict[str, Any]:
        return {
            "base_url": self.server.url,
            "authentication_policy": Bearer(self.token),
            "retry_total": 0,
            "polling_interval": 0,
        }

    def keep(self, client: Any) -> Any:  # noqa: ANN401 - the SDK's clients share no base
        self.clients.append(client)
        return client

    def subscriptions(self) -> SubscriptionClient:
        client: SubscriptionClient = self.keep(SubscriptionClient(NoCredential(), **self.options()))
        return client

    def monitor(self, subscription_id: str) -> MonitorManagementClient:
        client: MonitorManagementClient = self.keep(
            MonitorManagementClient(NoCredential(), subscription_id, **self.options())
        )
        return client

    def event_hubs(self) -> EventHubManagementClient:
        client: EventHubManagementClient = self.keep(
            EventHubManagementClient(NoCredential(), PROVIDER.subscription_id, **self.options())
        )
        return client

    def log_analytics(self, subscription_id: str) -> LogAnalyticsManagementClient:
        client: LogAnalyticsManagementClient = self.keep(
            LogAnalyticsManagementClient(NoCredential(), subscription_id, **self.options())
        )
        return client

    def resources(self, subscription_id: str) -> ResourceManagementClient:
        client: ResourceManagementClient = self.keep(
            ResourceManagementClient(NoCredential(), subscription_id, **self.options())
        )
        return client

    @property
    def subscription(self) -> str:
        """A subscription that is delegated as a whole."""
        return self.customer.delegated[0]

    @property
    def vault(self) -> str:
        """ID of its key vault."""
        return next(r.resource_id for r in self.world.resources_of(self.subscription))

    @property
    def hands(self) -> Hands:
        return Hands(self.azure)

    def make_workspace(self, name: str = "logs", location: str = "westeurope") -> str:
        """A workspace in that subscription; gives back its ID."""
        return self.hands.add_workspace(self.subscription, "contoso-rg", name, location)

    def set_roles(self, *roles: str, group: str | None = None) -> None:
        """Delegate that subscription anew with these roles of the app's."""
        self.hands.withdraw(self.subscription)
        self.hands.delegate(self.subscription, group=group, roles=list(roles))

    def ask(self, method: str, path: str, version: str, body: Any = None) -> Response:  # noqa: ANN401 - any JSON
        """A call in process with a JSON body."""
        content = b"" if body is None else json.dumps(body).encode()
        mark = "&" if "?" in path else "?"
        headers = {"content-type": "application/json"}
        return self.call(method, f"{path}{mark}api-version={version}", content, **headers)

    def waiting(self) -> list[dict[str, Any]]:
        """Records that wait in partitions, whether in an envelope or bare."""
        records: list[dict[str, Any]] = []
        for partition in self.azure.stream.partitions.values():
            for event in partition.events:
                value = json.loads(event.body or b"{}")
                records += value.get("records", [value])
        return records

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """A call in process, past the SDK."""
        named = {"authorization": f"Bearer {self.token}", **headers}
        return self.azure.handle(Request(method, f"http://azure{path}", named, body))

    def make_hub(self, name: str = "contoso", namespace: str = "lightkeeper-weu-1", **capture: object) -> str:
        """A namespace in West Europe with a hub that captures; gives back the ID of its rule."""
        base = (
            f"/subscriptions/{PROVIDER.subscription_id}/resourceGroups/{PROVIDER.group}"
            f"/providers/Microsoft.EventHub/namespaces/{namespace}"
        )
        version = "?api-version=2026-01-01"
        identity = f'{{"type":"UserAssigned","userAssignedIdentities":{{"{PROVIDER.identity_id}":{{}}}}}}'
        body = f'{{"location":"westeurope","sku":{{"name":"Standard"}},"identity":{identity}}}'
        assert self.call("PUT", base + version, body.encode()).ok
        self.world.clock.move(self.world.namespace_seconds)
        description = capture_description(**capture)
        answer = self.call(
            "PUT",
            f"{base}/eventhubs/{name}{version}",
            Response.of({"properties": {"partitionCount": 2, "captureDescription": description}}).body,
        )
        assert answer.ok, answer.body
        return f"{base}/authorizationRules/RootManageSharedAccessKey"


def capture_description(**changes: object) -> dict[str, Any]:
    destination = {
        "name": "EventHubArchive.AzureBlockBlob",
        "identity": {"type": "UserAssigned", "userAssignedIdentity": PROVIDER.identity_id},
        "properties": {
            "storageAccountResourceId": PROVIDER.storage_id,
            "blobContainer": changes.pop("container", "capture"),
            "archiveNameFormat": changes.pop(
                "pattern",
                "{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}",
            ),
        },
    }
    return {
        "enabled": True,
        "encoding": "Avro",
        "intervalInSeconds": 300,
        "sizeLimitInBytes": 314_572_800,
        "skipEmptyArchives": True,
        "destination": destination,
        **changes,
    }


def setting(rule_id: str, hub: str = "contoso", *categories: str) -> dict[str, Any]:
    logs = [{"category": name, "enabled": True} for name in categories or ("Administrative", "Policy")]
    return {"properties": {"eventHubAuthorizationRuleId": rule_id, "eventHubName": hub, "logs": logs}}


async def run_bench(provider: Provider) -> AsyncIterator[Bench]:
    world = build_world(provider, seed=7, clock=Clock())
    world.page_size = 3
    customer = add_customer(
        world, "contoso", 8, not_delegated=1, disabled=1, partial=1, regions=("westeurope",)
    )
    azure = SimulatedAzure(world)
    async with Server(azure) as server:
        bench = Bench(azure, server, customer)
        yield bench
        for client in bench.clients:
            await client.close()
