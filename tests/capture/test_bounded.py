"""A correlation ID that is used for ever does not make what is kept grow for ever."""

import os
from datetime import timedelta
from random import Random

from shared.capture.entries import CONDENSED
from shared.model.captures import Counts
from shared.model.operations import MOST_KEPT
from shared.store.blobs import ContainerName
from shared.store.tables import TableName
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import App
from tests.helpers.chaos_worker import Turnstile
from tests.helpers.exact_memory import MemoryAccount

_FILES, _PER_FILE = 40, 100


async def new_app() -> App:
    """A capture step with everything in memory, since it has much to do."""
    storage = MemoryAccount(Turnstile(Random(1)))  # noqa: S311 - an order, not a secret
    await storage.close()
    return App(storage)


async def kept_bytes(app: App) -> int:
    """All that is parked, in rows and blobs."""
    table = await app.storage.table(TableName.OPERATIONS)
    rows = [row async for row in table.query_entities(f"PartitionKey eq '{app.integration}'", parameters={})]
    size = sum(len(piece) for row in rows for name, piece in row.items() if name.startswith("piece"))
    container = await app.storage.container(ContainerName.PARKED)
    names = [blob.name async for blob in container.list_blobs()]
    return size + sum([len(await app.blobs.read(ContainerName.PARKED, name)) for name in names])


async def test_what_is_kept_of_an_operation_that_is_repeated_without_end_does_not_grow() -> None:
    app = await new_app()
    sizes = []
    for number in range(_FILES):
        entries = [
            record(("Start", "Success")[n % 2], n % 60, properties={"text": os.urandom(600).hex(), "n": n})
            for n in range(number * _PER_FILE, (number + 1) * _PER_FILE)
        ]
        counts = await app.handle(await app.upload(capture_file([envelope(*entries)])))
        assert counts == Counts(entries=_PER_FILE, condensed=_PER_FILE, operations=1)
        sizes.append(await kept_bytes(app))
    half = MOST_KEPT // _PER_FILE * 2
    assert max(sizes[half:]) <= 1.1 * sizes[half]
    latest = max(
        (line[CONDENSED] for lines in (await app.condensed()).values() for line in lines),
        key=lambda facts: facts["revision"],
    )
    assert (latest["revision"], latest["num_correlated_records"]) == (_FILES, MOST_KEPT + _PER_FILE)


async def test_what_is_kept_of_incomplete_entries_under_one_correlation_id_does_not_grow() -> None:
    app = await new_app()
    sizes = []
    for number in range(_FILES):
        entries = [
            record("Start", n % 60, operationName=None, properties={"text": os.urandom(300).hex(), "n": n})
            for n in range(number * _PER_FILE, (number + 1) * _PER_FILE)
        ]
        assert (await app.handle(await app.upload(capture_file([envelope(*entries)])))).entries == _PER_FILE
        app.now += timedelta(hours=3)
        await app.flusher.flush()
        sizes.append(await kept_bytes(app))
    half = MOST_KEPT // _PER_FILE * 2
    assert max(sizes[half:]) <= 1.1 * sizes[half]
    totals = await app.captures.totals(app.integration)
    assert totals.passed_through == _FILES * _PER_FILE
