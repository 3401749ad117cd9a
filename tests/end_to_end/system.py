"""One running system and what its users, its customers and Azure do to it, from outside."""

import asyncio
import base64
import itertools
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueServiceClient

from local.app_client import AppClient
from local.azure.control import AzureControl
from local.stack import Stack
from shared.capture.entries import CONDENSED
from shared.model.reasons import Reason
from tests.capture.activity_log import capture_file

type Json = dict[str, Any]

PATIENCE = 60.0
"""Seconds until something that should happen is said not to; far more than a busy machine needs."""

MASTER_KEY = secrets.token_urlsafe(24)
"""With it functions are started by hand."""

_POLL_SECONDS = 0.25
_AHEAD = timedelta(hours=1)
_REGIONS = ("westeurope", "eastus")


@dataclass(frozen=True)
class Tenant:
    """A customer of one test.

    Attributes:
        name: its slug, used by no other test.
        region: its home region.
        tenant_id: its Entra tenant.
        subscriptions: all of its subscriptions.
        integration_id: as registered.
        namespace: of its event hub.
    """

    name: str
    region: str
    tenant_id: str
    subscriptions: tuple[str, ...]
    integration_id: str
    namespace: str = ""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0]


class System:
    """A running system; customers are made ready several at once, since that takes longest."""

    def __init__(
        self,
        stack: Stack,
        azure: AzureControl,
        app: AppClient,
        session: aiohttp.ClientSession,
        storage: tuple[BlobServiceClient, QueueServiceClient, TableServiceClient],
        *,
        customers_at_once: int,
    ) -> None:
        self.stack = stack
        self.azure = azure
        self.app = app
        self._session = session
        self._blobs, self._queues, self._tables = storage
        self._at_once = customers_at_once
        self._ready: list[Tenant] = []
        self._messages: list[Json] = []
        self._written = datetime.now(UTC) + _AHEAD

    # Customers

    async def register(
        self,
        subscriptions: int = 1,
        *,
        region: str = _REGIONS[0],
        not_delegated: int = 0,
        vaults: int = 1,
        **fields: object,
    ) -> Tenant:
        """Make a customer tenant in Azure, and register it; its subscriptions are delegated at once.

        Args:
            subscriptions: how many.
            region: its home region.
            not_delegated: how many of the subscriptions are not delegated.
            vaults: key vaults in each subscription.
            fields: further fields of the registration.
        """
        name = a_name()
        wanted = {"name": name, "subscriptions": subscriptions, "notDelegated": not_delegated}
        made = await self._control("add-customer", wanted | {"vaults": vaults})
        tenant = made["tenant_id"]
        answer = await self.app.register(customer=name, tenantId=tenant, homeRegion=region, **fields)
        return Tenant(name, region, tenant, (*made["delegated"], *made["not_delegated"]), answer["id"])

    async def customer(self) -> Tenant:
        """A customer with one configured subscription, for one test alone.

        The entries of our own writing of its setting have come in.
        """
        if not self._ready:
            regions = itertools.islice(itertools.cycle(_REGIONS), self._at_once)
            made = [await self.register(region=region, vaults=0) for region in regions]
            self._ready = [await self.configured(tenant) for tenant in made]
            for tenant in self._ready:
                await self.settled(tenant)
        return self._ready.pop()

    async def configured(self, tenant: Tenant, number: int | None = None) -> Tenant:
        """Wait until so many subscriptions are configured, by default all; gives the namespace, too."""
        goal = len(tenant.subscriptions) if number is None else number

        seen = await until(
            lambda: self.app.integration(tenant.integration_id),
            lambda seen: bool(seen["counts"]["subscriptions"]["configured"] == goal),
        )
        namespace = next(hub["namespace"] for hub in seen["hubs"] if hub["region"] == tenant.region)
        return Tenant(
            tenant.name,
            tenant.region,
            tenant.tenant_id,
            tenant.subscriptions,
            tenant.integration_id,
            namespace,
        )

    async def monitored(self, tenant: Tenant, number: int) -> None:
        """Wait until so many resources are monitored, and nothing else is to be done for any."""

        def over(seen: Json) -> bool:
            counts = seen["counts"]["resources"]
            return bool(counts["configured"] == counts["total"] - counts["gone"] == number)

        await until(lambda: self.app.integration(tenant.integration_id), over)

    async def subscription(self, tenant: Tenant, subscription_id: str) -> Json:
        """One subscription as the API shows it; empty if it does not."""
        rows = await self.app.subscriptions(tenant.integration_id)
        return next((row for row in rows if row["subscriptionId"] == subscription_id), {})

    async def until_subscription(self, tenant: Tenant, subscription_id: str, **fields: object) -> Json:
        """Wait until the API shows these fields of a subscription."""
        return await until(
            lambda: self.subscription(tenant, subscription_id), lambda row: fields.items() <= row.items()
        )

    async def setting(self, subscription_id: str) -> Json | None:
        """The diagnostic setting that Azure has, or None."""
        settings = (await self.azure.state())["settings"]
        found: Json | None = settings.get(f"/subscriptions/{subscription_id}", {}).get("Lightkeeper-Logs")
        return found

    # What happened

    async def entries(self, tenant: Tenant) -> dict[str, int]:
        """What the API says of a customer's entries."""
        counts: dict[str, int] = (await self.app.integration(tenant.integration_id))["counts"]["entries"]
        return counts

    async def until_entries(self, tenant: Tenant, enough: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        """Wait for counts of entries."""
        return await until(lambda: self.entries(tenant), enough)

    async def settled(self, tenant: Tenant) -> dict[str, int]:
        """Wait until everything that the customer's hub took has come in and nothing is parked."""

        async def look() -> tuple[Json, dict[str, int]]:
            hub = (await self.azure.state())["hubs"][f"{tenant.namespace}/{tenant.name}"]
            return hub, await self.entries(tenant)

        def over(seen: tuple[Json, dict[str, int]]) -> bool:
            hub, counts = seen
            return not hub["waiting"] and counts["in"] >= hub["records"] and not counts["parked"]

        _, counts = await until(look, over)
        return counts

    async def records(self, tenant: Tenant) -> list[Json]:
        """All condensed records, every revision, in order of their files."""
        return [
            record
            for file in await self.app.condensed_files(tenant.name)
            for record in file.records
            if CONDENSED in record
        ]

    async def messages(self, tenant: Tenant) -> list[Json]:
        """All messages so far that announce files of the customer."""
        self._messages += await self.app.take_messages()
        return [message for message in self._messages if message["customer"] == tenant.name]

    async def reasons(self, tenant: Tenant) -> set[str]:
        """What is wrong with a customer, but that no alerts are exported: our customers have no policy."""
        problems = (await self.app.integration(tenant.integration_id))["problems"]
        return {str(problem["reason"]) for problem in problems} - {Reason.AUTOMATION_GROUP_MISSING}

    async def problems(self, integration_id: str) -> list[Json]:
        """The problems of an integration, or of the provider, as they stand in the table."""
        table = self._tables.get_table_client("problems")
        rows = table.query_entities("PartitionKey eq @id", parameters={"id": integration_id})
        return [dict(row) async for row in rows]

    async def play(
        self, scenario: str, subscription_id: str, count: int = 1, seed: int | None = None
    ) -> list[Json]:
        """Let something happen, and tell all its entries (`entryList`) and operations."""
        body = {"scenario": scenario, "subscriptionId": subscription_id, "count": count, "seed": seed}
        answer = await self._control("play", body | {"withEntries": True})
        written: list[Json] = answer["written"]
        return written

    async def _control(self, operation: str, body: Json) -> Json:
        url = f"{self.stack.azure_url}/_control/{operation}"
        async with self._session.post(url, json=body) as answer:
            answer.raise_for_status()
            value: Json = await answer.json()
            return value

    # Capture files of the test's own

    async def upload(
        self, tenant: Tenant, bodies: Iterable[bytes | None], *, partition: int = 0, hub: str = ""
    ) -> str:
        """Write a capture file, each a second after the one before; gives its path and tells nobody."""
        return await self.write(self.new_path(tenant, partition, hub), capture_file(bodies))

    def new_path(self, tenant: Tenant, partition: int = 0, hub: str = "") -> str:
        """A path as Capture will choose it, a second after the one before and where it is not yet itself."""
        self._written += timedelta(seconds=1)
        place = f"{tenant.namespace}/{hub or tenant.name}/{partition}"
        return f"{place}/{self._written:%Y/%m/%d/%H/%M/%S}.avro"

    async def write(self, path: str, data: bytes) -> str:
        """Write a blob into the capture container."""
        container = self._blobs.get_container_client("capture")
        if not await container.exists():
            await container.create_container()
        await container.upload_blob(path, data, overwrite=True)
        return path

    async def announce(self, path: str) -> int:
        """Deliver the event of a capture file once; gives the HTTP status."""
        event = {
            "id": str(uuid4()),
            "topic": self.stack.provider.storage_id,
            "subject": f"/blobServices/default/containers/capture/blobs/{path}",
            "eventType": "Microsoft.Storage.BlobCreated",
            "eventTime": "2026-01-02T03:00:00Z",
            "data": {"api": "PutBlob", "url": f"{self.stack.azurite.blob_url}/capture/{path}"},
            "dataVersion": "",
            "metadataVersion": "1",
        }
        headers = {"aeg-event-type": "Notification"}
        async with self._session.post(self.stack.event_grid_url, json=[event], headers=headers) as answer:
            return answer.status

    async def hand_in(self, path: str) -> None:
        """Deliver the event of a capture file until it is taken, as Event Grid does."""
        await until(lambda: self.announce(path), lambda status: status == HTTPStatus.ACCEPTED)

    async def aside(self, folder: str) -> list[Json]:
        """Everything that was set aside in a folder, with the bytes under `bytes`."""
        container = self._blobs.get_container_client("set-aside")
        try:
            names = sorted([name async for name in container.list_blob_names(name_starts_with=f"{folder}/")])
        except ResourceNotFoundError:
            return []
        found = []
        for name in (each for each in names if each.endswith(".ndjson")):
            text = await (await container.download_blob(name)).readall()
            for line in map(json.loads, text.splitlines()):
                copy = line.get("copy")
                raw = await (await container.download_blob(copy)).readall() if copy else None
                found.append(line | {"bytes": base64.b64decode(line["raw"]) if raw is None else raw})
        return found

    # Requests and messages of the test's own

    async def request(
        self, method: str, path: str, body: bytes | None = None, *, key: str | None = ""
    ) -> Reply:
        """Call the host; with the function key unless another or None is given."""
        key = self.stack.function_key if key == "" else key
        headers = {} if key is None else {"x-functions-key": key}
        url = f"{self.stack.host_url}/{path}"
        async with self._session.request(method, url, data=body, headers=headers) as answer:
            return Reply(answer.status, answer.headers, await answer.read())

    async def send(self, queue: str, text: str) -> None:
        """Put a message on a queue, as the app's own are encoded; a queue is made by who sends first."""
        client = self._queues.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        with suppress(ResourceExistsError):
            await client.create_queue()
        await client.send_message(text)

    async def poisoned(self, queue: str) -> list[Json]:
        """What lies on a queue's poison queue."""
        client = self._queues.get_queue_client(f"{queue}-poison")
        try:
            seen = await client.peek_messages(max_messages=32)
        except ResourceNotFoundError:
            return []
        return [json.loads(base64.b64decode(message.content)) for message in seen]

    def log(self, part: str = "host") -> str:
        """What a part has logged so far."""
        child = next(child for child in self.stack.children if child.name == part)
        return child.log.read_text(encoding="utf-8", errors="replace")


async def until[T](
    look: Callable[[], Awaitable[T]], enough: Callable[[T], bool], seconds: float = PATIENCE
) -> T:
    """Look again and again until what is seen is enough; gives it.

    Raises:
        AssertionError: it never was; tells what was seen last.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen = await look()
        if enough(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:.0f} s there is only {seen}")
        await asyncio.sleep(_POLL_SECONDS)


def a_name() -> str:
    """A customer slug that nobody has."""
    return f"c{uuid4().hex[:10]}"


@asynccontextmanager
async def running(
    logs: Path, customers_at_once: int, settings: Mapping[str, str] | None = None
) -> AsyncIterator[System]:
    """Start a system; end it and all its processes."""
    async with AsyncExitStack() as ending:
        stack = Stack(logs, seed=len(str(logs)), settings=settings)
        ending.push_async_callback(asyncio.to_thread, stack.stop)
        for start in (stack.start_azurite, stack.start_azure, stack.start_host):
            await asyncio.to_thread(start)
        storage = stack.azurite.connection_string
        system = System(
            stack,
            await ending.enter_async_context(AzureControl(stack.azure_url)),
            await ending.enter_async_context(AppClient(stack.host_url, stack.function_key, storage)),
            await ending.enter_async_context(aiohttp.ClientSession()),
            (
                await ending.enter_async_context(BlobServiceClient.from_connection_string(storage)),
                await ending.enter_async_context(QueueServiceClient.from_connection_string(storage)),
                await ending.enter_async_context(TableServiceClient.from_connection_string(storage)),
            ),
            customers_at_once=customers_at_once,
        )
        await system.azure.subscribe(stack.event_grid_url)
        yield system
