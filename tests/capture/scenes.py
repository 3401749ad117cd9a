"""What happens to capture files in many tests: they take others along, fail, and are gone for a while."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count

import pytest

from shared.model.captures import CaptureFile
from shared.store.blobs import ContainerName
from shared.store.operations import bucket_of
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import WAIT, App
from tests.capture.stores import failing
from tests.helpers.chaos_worker import WorkerDiedError

WHOLE = capture_file([envelope(record(), record("Success", 1))])
"""A capture file with one operation, which is whole."""


def in_one_bucket() -> Iterator[str]:
    """Correlation IDs that meet in one bucket."""
    return (name for name in (f"c{number}" for number in count()) if bucket_of(name) == 0)


async def begin(app: App, correlation: str) -> None:
    """Handle a file with the start of an operation, which waits for the rest."""
    await app.handle(await app.upload(capture_file([envelope(record("Start", correlation=correlation))])))


async def taking_along(app: App, names: Iterator[str]) -> tuple[CaptureFile, str]:
    """A file whose handler is to take along what has waited long enough, and the correlation ID of that."""
    waited, own = next(names), next(names)
    await begin(app, waited)
    app.now += WAIT
    return await app.upload(capture_file([envelope(record("Start", correlation=own))])), waited


async def fail(app: App, file: CaptureFile) -> None:
    """Let a worker die when everything is written down and nothing is handed on."""
    with pytest.raises(WorkerDiedError):
        await app.new_handler(failing(app, WorkerDiedError())).handle_file(file)


def hourly(app: App) -> Iterator[int]:
    """Seven tries of a file that fails, each an hour after the one before; at the next it is given up."""
    for number in range(7):
        yield number
        app.now += timedelta(hours=1)


@asynccontextmanager
async def gone(app: App, file: CaptureFile) -> AsyncIterator[None]:
    """Meanwhile the blob is not there."""
    data = await app.blobs.read(file.container, file.path)
    await app.blobs.delete(file.container, file.path)
    yield
    await put(app, file, data)


async def put(app: App, file: CaptureFile, data: bytes) -> None:
    """Have these bytes where the file is or was."""
    await app.blobs.write(file.container, file.path, data, "application/octet-stream")


async def blobs_in(app: App, container: ContainerName) -> dict[str, bytes]:
    """Everything in a container."""
    client = await app.storage.container(container)
    return {blob.name: await app.blobs.read(container, blob.name) async for blob in client.list_blobs()}
