"""A flush that cannot be ended holds up no other, and is shown until it is ended."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from random import Random

import pytest

from shared.capture.audit import NOT_FLUSHED
from shared.model.captures import CaptureState
from shared.model.operations import OperationKey
from shared.store.blobs import ContainerName
from shared.store.bucket_rows import Loaded
from shared.store.ledger import LEASE, LedgerEntry
from shared.store.operations import OperationStore, bucket_of
from shared.store.wish import View
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import WAIT, App, Files
from tests.capture.auditor import new_audit, open_problems
from tests.capture.scenes import begin, in_one_bucket

_MINUTE = timedelta(minutes=1)
_STUCK = next(in_one_bucket())
_OTHERS = [name for name in (f"o{number}" for number in range(20)) if bucket_of(name) != bucket_of(_STUCK)]


async def lose_a_bucket(app: App) -> dict[str, bytes]:
    """Have so much wait in a bucket that it lies in a blob, and somebody delete that; gives what it held."""
    large = {"responseBody": Random(1).randbytes(1_000_000).hex()}  # noqa: S311 - bulk, not a secret
    start = record("Start", correlation=_STUCK, properties=large)
    await app.handle(await app.upload(capture_file([envelope(start)])))
    parked = await app.storage.container(ContainerName.PARKED)
    names = [blob.name async for blob in parked.list_blobs(name_starts_with=f"{app.integration}/")]
    lost = {name: await app.blobs.read(ContainerName.PARKED, name) for name in names}
    assert lost
    for name in lost:
        await app.blobs.delete(ContainerName.PARKED, name)
    return lost


async def restore(app: App, lost: Mapping[str, bytes]) -> None:
    for name, data in lost.items():
        await app.blobs.write(ContainerName.PARKED, name, data, "application/octet-stream")


async def left(app: App) -> set[str]:
    """The correlation IDs of all that left."""
    return {line["correlationId"] for lines in (await app.condensed()).values() for line in lines}


async def not_done(app: App) -> set[str]:
    """The flushes that were begun and are not done."""
    flushes = await app.captures.unfinished_flushes(app.now + 2 * LEASE)
    return {flush.run for flush in flushes if flush.integration_id == app.integration}


async def shown(app: App) -> list[str]:
    """Where something is wrong after an audit."""
    await new_audit(app, Files()).run()
    return [problem.where for problem in await open_problems(app)]


async def test_what_waits_beside_a_bucket_that_cannot_be_read_leaves(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    lost = await lose_a_bucket(app)
    for name in _OTHERS:
        await begin(app, name)
    app.now += WAIT
    for _ in range(2):
        await app.flusher.flush()
        app.now += _MINUTE
    assert await left(app) == {*_OTHERS}
    assert "lost 32 races" in caplog.text

    await restore(app, lost)
    app.now += LEASE
    for _ in range(2):
        await app.flusher.flush()
    assert await left(app) == {*_OTHERS, _STUCK}
    assert await not_done(app) == set()
    (await app.captures.totals(app.integration)).check()
    assert (await app.captures.totals(app.integration)).still_parked == 0


async def test_no_flush_is_begun_of_a_bucket_whose_own_is_not_ended(app: App) -> None:
    await lose_a_bucket(app)
    app.now += WAIT
    await app.flusher.flush()
    begun = await not_done(app)
    assert len(begun) == 1
    for minutes in range(12):
        await begin(app, _OTHERS[minutes % len(_OTHERS)])
        app.now += _MINUTE
        await app.flusher.flush()
    assert await not_done(app) == begun


async def test_a_flush_that_fails_keeps_nothing_else_from_leaving(app: App) -> None:
    class Failing(OperationStore):
        """Cannot be read by one flush."""

        async def load(
            self, integration_id: str, keys: Mapping[int, Collection[OperationKey]], view: View
        ) -> dict[int, Loaded]:
            if view.run == "flush-broken":
                raise OSError("the storage account has no time")
            return await super().load(integration_id, keys, view)

    broken = LedgerEntry(app.integration, "flush-broken", app.now, "", CaptureState.LEASED)
    await app.captures.begin(broken, app.now)
    await begin(app, "waits")
    app.now += WAIT
    flusher = app.new_flusher(Failing(app.storage, app.blobs, WAIT, timedelta(days=1)))
    with pytest.raises(BaseExceptionGroup) as raised:
        await flusher.flush()
    assert raised.group_contains(OSError)
    assert await left(app) == {"waits"}
    assert await not_done(app) == {"flush-broken"}


async def test_a_flush_that_is_not_ended_within_an_hour_is_shown_until_it_is(app: App) -> None:
    lost = await lose_a_bucket(app)
    app.now += WAIT
    await app.flusher.flush()
    assert await shown(app) == []
    app.now += timedelta(hours=1, seconds=1)
    for _ in range(2):
        assert await shown(app) == [NOT_FLUSHED]
    (problem,) = await open_problems(app)
    (run,) = await not_done(app)
    assert problem.detail == f"1 flushes are not done, the first one {run}, since 2024-05-01 10:15 UTC"

    await restore(app, lost)
    await app.flusher.flush()
    assert await shown(app) == []
