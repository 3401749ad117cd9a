"""Hand-off: how long it takes from the event of a capture file to its condensed file and the message."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from math import ceil
from pathlib import Path
from uuid import uuid4

import aiohttp
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob.aio import BlobServiceClient

from benchmarks.capture_files import SEED, Shape, made
from benchmarks.report import Options, Row, at_most
from local.app_client import AppClient
from local.azure.control import AzureControl
from local.stack import Stack

KEY = "handoff.p95_seconds"

_FILES, _QUICK_FILES = 20, 2
_SHAPE, _QUICK_SHAPE = Shape(10), Shape(1)
_CUSTOMER = "contoso"
_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.25
_AHEAD = timedelta(hours=1)
"""So that no file has the name of one that the simulated Capture writes."""


def measure(options: Options) -> Iterator[Row]:
    """Files of 10 MB one after the other, each of other operations, through the host and Azurite."""
    shape = _QUICK_SHAPE if options.quick else _SHAPE
    files = [made(shape, seed=SEED + number) for number in range(_QUICK_FILES if options.quick else _FILES)]
    took = sorted(asyncio.run(_measure(files, options)))
    what = f"seconds from a capture event to its file and message, {shape}"
    return iter(
        [
            Row(f"{what}, 95th percentile", took[ceil(0.95 * len(took)) - 1], len(took), at_most(3), KEY),
            Row("  median", took[len(took) // 2], len(took)),
        ]
    )


async def _measure(files: list[Path], options: Options) -> list[float]:
    with tempfile.TemporaryDirectory() as logs, Stack(Path(logs)) as stack:
        for start in (stack.start_azurite, stack.start_azure, stack.start_host):
            await asyncio.to_thread(start)
        storage = stack.azurite.connection_string
        async with (
            AzureControl(stack.azure_url) as azure,
            AppClient(stack.host_url, stack.function_key, storage) as app,
            BlobServiceClient.from_connection_string(storage) as blobs,
            aiohttp.ClientSession() as session,
        ):
            place = await _hub(azure, app)
            container = blobs.get_container_client("capture")
            with suppress(ResourceExistsError):
                await container.create_container()
            took = []
            for number, file in enumerate(files):
                moment = datetime.now(UTC) + _AHEAD + timedelta(seconds=number)
                path = f"{place}/0/{moment:%Y/%m/%d/%H/%M/%S}.avro"
                await container.upload_blob(path, file.read_bytes())
                took.append(await _handed_off(stack, session, app, path))
                options.say(f"file {number + 1} of {len(files)}: {took[-1]:.2f} s")
    return took


async def _hub(azure: AzureControl, app: AppClient) -> str:
    """Register a customer; gives where the capture files of its hub lie."""
    customer = await azure.add_customer(_CUSTOMER, 1)
    answer = await app.register(customer=_CUSTOMER, tenantId=customer.tenant_id, homeRegion="westeurope")
    async with asyncio.timeout(_READY_SECONDS):
        while True:
            hubs = (await app.integration(answer["id"]))["hubs"]
            ready = [hub["namespace"] for hub in hubs if hub["state"] == "ready"]
            if ready:
                return f"{ready[0]}/{_CUSTOMER}"
            await asyncio.sleep(_LOOK_SECONDS)


async def _handed_off(stack: Stack, session: aiohttp.ClientSession, app: AppClient, path: str) -> float:
    """Deliver the event of a file; gives the seconds until its message was there.

    Raises:
        RuntimeError: the event was not taken, or no message tells of the file.
    """
    event = {
        "id": str(uuid4()),
        "topic": stack.provider.storage_id,
        "subject": f"/blobServices/default/containers/capture/blobs/{path}",
        "eventType": "Microsoft.Storage.BlobCreated",
        "eventTime": datetime.now(UTC).isoformat(),
        "data": {"api": "PutBlob", "url": f"{stack.azurite.blob_url}/capture/{path}"},
        "dataVersion": "",
        "metadataVersion": "1",
    }
    begun = time.monotonic()
    headers = {"aeg-event-type": "Notification"}
    async with session.post(stack.event_grid_url, json=[event], headers=headers) as answer:
        taken = answer.status == HTTPStatus.ACCEPTED
    seconds = time.monotonic() - begun
    # The answer comes when all is done, so the message must be there by now.
    if not taken or not any(path in str(message["source"]) for message in await app.take_messages()):
        raise RuntimeError(f"{path} was not handed off")
    return seconds
