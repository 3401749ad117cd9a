"""Capture files through the whole step, over a real Azurite."""

import asyncio
import base64
import json
from datetime import datetime, timedelta

import pytest

from shared.capture.correlate import Run
from shared.capture.correlator import Correlator
from shared.capture.entries import CONDENSED
from shared.model.captures import CaptureState, Counts
from shared.model.problem import PROVIDER
from shared.model.reasons import Reason
from shared.store.blobs import ContainerName
from shared.store.captures import LeasedError
from shared.store.ledger import LEASE, UNASSIGNED, LedgerEntry
from shared.store.operations import BUCKETS, OperationStore
from shared.store.tables import TableName
from tests.capture.activity_log import capture_file, envelope, record, text
from tests.capture.app import WAIT, App
from tests.capture.stores import failing, overtaken
from tests.helpers.facts import settings


def policy(second: int = 0) -> dict[str, object]:
    return record("Success", second, category="Policy")


async def test_a_capture_file_becomes_a_condensed_file_and_a_message(app: App) -> None:
    file = await app.upload(capture_file([envelope(record(), record("Success", 1)), envelope(policy())]))

    counts = await app.handle(file)

    assert counts == Counts(entries=3, condensed=2, passed_through=1, operations=1)
    name = f"{app.customer}/2024/05/01/10/{file.id}.ndjson.gz"
    files = await app.condensed()
    assert list(files) == [name]
    assert files[name][0] == policy()
    assert files[name][1][CONDENSED]["num_correlated_records"] == 2
    assert await app.messages() == [
        {
            "version": 1,
            "integration": app.integration,
            "customer": app.customer,
            "blob": name,
            "source": file.path,
            "counts": {"condensed": 1, "passedThrough": 1},
            "categories": {"Administrative": 1, "Policy": 1},
            "first": "2024-05-01T10:00:00.1234567Z",
            "last": "2024-05-01T10:00:01.1234567Z",
        }
    ]
    ledger = await app.captures.read(app.integration, file.written_at, file.id)
    assert ledger is not None
    assert (ledger.state, ledger.counts, ledger.output) == (CaptureState.DONE, counts, name)
    assert app.problems.reported == []


async def test_an_empty_file_leaves_a_ledger_row_and_nothing_else(app: App) -> None:
    for data in (b"", capture_file([])):
        assert await app.handle(await app.upload(data)) == Counts()
    assert await app.condensed() == {}
    assert await app.messages() == []


async def test_a_file_that_was_handled_is_answered_at_once(app: App) -> None:
    file = await app.upload(capture_file([envelope(policy())]))
    first = await app.handle(file)
    await app.blobs.delete(ContainerName.CAPTURE, file.path)
    assert await app.handle(file) == first
    assert len(await app.messages()) == 1


async def test_a_file_that_somebody_else_is_handling_fails_so_that_it_comes_again(app: App) -> None:
    file = await app.upload(capture_file([envelope(policy())]))
    row = LedgerEntry(app.integration, file.id, file.written_at, file.path, CaptureState.LEASED)
    await app.captures.begin(row, app.now)
    with pytest.raises(LeasedError):
        await app.handle(file)
    app.now += LEASE
    assert (await app.handle(file)).passed_through == 1


async def test_a_failure_gives_the_lease_back(app: App) -> None:
    file = await app.upload(capture_file([envelope(policy())]))
    await app.blobs.delete(ContainerName.CAPTURE, file.path)
    with pytest.raises(Exception, match="BlobNotFound"):
        await app.handle(file)
    await app.blobs.write(ContainerName.CAPTURE, file.path, b"", "application/octet-stream")
    assert await app.handle(file) == Counts()


async def test_what_cannot_be_read_is_kept_and_reported(app: App) -> None:
    file = await app.upload(capture_file([envelope(policy()), b"junk", None]))

    counts = await app.handle(file)

    assert counts == Counts(entries=3, passed_through=1, set_aside=2)
    name = f"{app.customer}/2024/05/01/{file.id}.ndjson"
    lines = (await app.blobs.read(ContainerName.SET_ASIDE, name)).splitlines()
    assert [json.loads(line)["reason"] for line in lines] == ["invalid_json", "null_body"]
    assert base64.b64decode(json.loads(lines[0])["raw"]) == b"junk"
    problem = app.problems.reported[0]
    assert (problem.integration_id, problem.reason) == (app.integration, Reason.ENTRIES_SET_ASIDE)
    assert name in problem.detail


async def test_a_file_that_cannot_be_read_at_all_is_copied_beside_the_list(app: App) -> None:
    file = await app.upload(b"this is no Avro")
    assert await app.handle(file) == Counts(entries=1, set_aside=1)
    stem = f"{app.customer}/2024/05/01/{file.id}"
    line = json.loads(await app.blobs.read(ContainerName.SET_ASIDE, f"{stem}.ndjson"))
    assert line["copy"] == f"{stem}.avro"
    assert await app.blobs.read(ContainerName.SET_ASIDE, f"{stem}.avro") == b"this is no Avro"
    assert app.problems.reported[0].reason is Reason.CORRUPT_CAPTURE_FILE
    ledger = await app.captures.read(app.integration, file.written_at, file.id)
    assert ledger is not None
    assert ledger.state is CaptureState.SET_ASIDE


async def test_a_file_of_an_unknown_hub_goes_to_nobody(app: App) -> None:
    data = capture_file([envelope(policy())])
    file = await app.upload(data, hub=f"x{app.customer}")
    assert await app.handle(file) == Counts(entries=1, set_aside=1)
    copy = f"{UNASSIGNED}/2024/05/01/{file.id}.avro"
    assert await app.blobs.read(ContainerName.SET_ASIDE, copy) == data
    problem = app.problems.reported[0]
    assert (problem.integration_id, problem.reason) == (PROVIDER, Reason.UNKNOWN_HUB)
    assert await app.condensed() == {}
    assert await app.captures.totals(app.integration) == Counts()


async def test_events_about_other_blobs_are_ignored(app: App) -> None:
    subject = "/blobServices/default/containers/condensed/blobs/a.gz"
    assert await app.new_handler().handle(subject, {}) == Counts()


async def test_split_operations_of_two_files_and_a_flush_end_with_everything_accounted_for(app: App) -> None:
    def parts(correlation: str, *statuses: tuple[str, int]) -> list[dict[str, object]]:
        return [record(status, second, correlation=correlation) for status, second in statuses]

    first = await app.upload(
        capture_file([envelope(*parts("split", ("Start", 0)), *parts("alone", ("Start", 1)), policy())])
    )
    second = await app.upload(
        capture_file(
            [envelope(*parts("split", ("Start", 0), ("Accept", 2), ("Success", 3)))], codec="deflate"
        ),
        partition=1,
    )

    assert (await app.handle(first)).parked == 2
    counts = await app.handle(second)
    assert counts == Counts(entries=3, condensed=3, duplicates=1, unparked=1, operations=1)
    app.now += WAIT
    flushed = await app.flusher.flush()

    assert flushed == Counts(condensed=1, unparked=1, operations=1)
    totals = await app.captures.totals(app.integration)
    assert totals == Counts(
        entries=6, condensed=4, passed_through=1, duplicates=1, parked=2, unparked=2, operations=2
    )
    totals.check()
    condensed = [
        line[CONDENSED] for lines in (await app.condensed()).values() for line in lines if CONDENSED in line
    ]
    assert sorted(made["num_correlated_records"] for made in condensed) == [1, 3]
    messages = await app.messages()
    assert len(messages) == 3
    assert sum(message["counts"]["condensed"] for message in messages) == 2
    assert await app.flusher.flush() == Counts()


async def test_the_next_capture_file_takes_along_what_waited_long_enough_beside_its_own(app: App) -> None:
    await app.handle(await app.upload(capture_file([envelope(record("Start"))])))
    app.now += WAIT
    await app.handle(await app.upload(capture_file([envelope(record("Start", operationName="OTHER"))])))
    (line,) = [line for lines in (await app.condensed()).values() for line in lines]
    assert line["operationName"] == record()["operationName"]
    assert (await app.captures.totals(app.integration)).still_parked == 1


async def test_a_late_entry_makes_a_new_revision_in_a_later_file(app: App) -> None:
    complete = capture_file([envelope(record("Start", 1), record("Success", 2))])
    await app.handle(await app.upload(complete))
    await app.handle(await app.upload(capture_file([envelope(record("Accept", 0))])))
    lines = [line for lines in (await app.condensed()).values() for line in lines]
    assert {line[CONDENSED]["uid"] for line in lines} == {lines[0][CONDENSED]["uid"]}
    assert sorted(line[CONDENSED]["revision"] for line in lines) == [1, 2]
    assert max(lines, key=lambda line: line[CONDENSED]["revision"])[CONDENSED]["num_correlated_records"] == 3


async def test_files_of_four_partitions_handled_at_once_give_one_record_per_operation(app: App) -> None:
    statuses = [("Start", 0), ("Accept", 1), ("Accept", 2), ("Success", 3)]
    files = []
    for partition, (status, second) in enumerate(statuses):
        body = envelope(*(record(status, second, correlation=f"c{number}") for number in range(40)))
        files.append(await app.upload(capture_file([body]), partition=partition))

    counts = await asyncio.gather(*(app.handle(file) for file in files))

    assert sum(counts, Counts()).still_parked == 0
    assert await app.captures.totals(app.integration) == sum(counts, Counts())
    latest: dict[str, dict[str, int]] = {}
    for lines in (await app.condensed()).values():
        for line in lines:
            made = line[CONDENSED]
            if made["revision"] > latest.get(made["uid"], {"revision": 0})["revision"]:
                latest[made["uid"]] = made
    assert [made["num_correlated_records"] for made in latest.values()] == [4] * 40


async def test_a_file_whose_worker_died_after_deciding_gives_the_same_when_it_comes_again(app: App) -> None:
    await app.handle(await app.upload(capture_file([envelope(record("Start"))])))
    file = await app.upload(capture_file([envelope(record("Success", 1), policy())]))
    first = await app.handle(file)
    before = await app.condensed()
    table = await app.storage.table(TableName.CAPTURES)
    await table.delete_entity(f"{app.integration}-20240501", file.id)

    assert await app.handle(file) == first
    assert await app.condensed() == before


async def test_a_flush_that_was_cut_off_is_ended_by_the_next(app: App) -> None:
    await app.handle(await app.upload(capture_file([envelope(record("Start"))])))
    app.now += WAIT
    await app.flusher.flush()
    before = await app.condensed()
    table = await app.storage.table(TableName.CAPTURES)
    name = next(name for name in before if "flush-" in name)
    run = name.rpartition("/")[2].removesuffix(".ndjson.gz")
    await table.delete_entity(f"{app.integration}-20240501", run)
    await app.captures.begin(LedgerEntry(app.integration, run, app.now, "", CaptureState.LEASED), app.now)
    await app.blobs.delete(ContainerName.CONDENSED, name)

    app.now += timedelta(minutes=6)
    assert await app.flusher.flush() == Counts(condensed=1, unparked=1, operations=1)

    assert await app.condensed() == before
    (await app.captures.totals(app.integration)).check()


async def test_a_flush_that_was_cut_off_counts_what_was_revised_since(app: App) -> None:
    await app.handle(await app.upload(capture_file([envelope(record("Start"))])))
    app.now += WAIT
    run = Run("flush-cut-off", app.now, WAIT)
    await app.captures.begin(LedgerEntry(app.integration, run.id, app.now, "", CaptureState.LEASED), app.now)
    await Correlator(app.operations).flush(app.integration, run, range(BUCKETS))

    await app.handle(await app.upload(capture_file([envelope(record("Success", 1))])))
    app.now += LEASE

    assert await app.flusher.flush() == Counts(condensed=1, unparked=1, operations=1)
    lines = [line[CONDENSED] for lines in (await app.condensed()).values() for line in lines]
    assert sorted((line["revision"], line["num_correlated_records"]) for line in lines) == [(1, 1), (2, 2)]
    assert (await app.captures.totals(app.integration)).still_parked == 0


class SeesTheSame(OperationStore):
    """Finds out what needs attention just before another flush of the same moment does its work."""

    def __init__(self, app: App) -> None:
        super().__init__(app.storage, app.blobs, WAIT, timedelta(days=1), roomy=10)
        self._app = app

    async def needing_attention(self, integration_id: str, now: datetime) -> list[int]:
        seen = await super().needing_attention(integration_id, now)
        operations = OperationStore(self._app.storage, self._app.blobs, WAIT, timedelta(days=1), roomy=10)
        await self._app.new_flusher(operations).flush()
        return seen


async def test_of_two_flushes_of_the_same_moment_the_second_leaves_the_first_ones_work_alone(
    app: App,
) -> None:
    await app.handle(await app.upload(capture_file([envelope(record("Start"))])))
    app.now += WAIT
    assert await app.new_flusher(SeesTheSame(app)).flush() == Counts()
    assert len(await app.condensed()) == 1
    assert await app.captures.totals(app.integration) == Counts(
        entries=1, condensed=1, parked=1, unparked=1, operations=1
    )


async def test_expired_operations_are_removed_by_the_flush(app: App) -> None:
    await app.handle(await app.upload(capture_file([envelope(record("Start"), record("Success", 1))])))
    app.now += timedelta(days=2)
    await app.flusher.flush()
    again = await app.upload(capture_file([envelope(record("Start"))]))
    assert (await app.handle(again)).parked == 1


async def test_a_large_operation_is_carried_through_a_blob(app: App) -> None:
    start = record("Start", properties={"requestbody": "".join(f"{number:x}" for number in range(400_000))})
    parked = await app.handle(await app.upload(capture_file([text(start)])))
    done = await app.handle(await app.upload(capture_file([envelope(record("Success", 1))])))
    assert (parked.parked, done.condensed) == (1, 2)
    line = next(line for lines in (await app.condensed()).values() for line in lines)
    assert line[CONDENSED]["statuses"]["start"]["properties"] == start["properties"]


async def test_a_file_is_cut_as_at_first_when_it_is_handled_again_with_other_settings(app: App) -> None:
    operations = [
        envelope(record("Start", correlation=f"c{n}"), record("Success", 1, correlation=f"c{n}"))
        for n in range(9)
    ]
    file = await app.upload(capture_file(operations))
    subject = f"/blobServices/default/containers/capture/blobs/{file.path}"
    with pytest.raises(ConnectionError):
        await app.new_handler(failing(app, ConnectionError())).handle(subject, {})

    counts = await app.new_handler(part_bytes=1).handle(subject, {})

    assert counts == Counts(entries=18, condensed=18, operations=9)
    (lines,) = (await app.condensed()).values()
    assert sorted(line["correlationId"] for line in lines) == [f"c{n}" for n in range(9)]
    assert {line[CONDENSED]["revision"] for line in lines} == {1}


@pytest.mark.parametrize("part_bytes", [65_536, 67_108_864])
async def test_a_file_is_read_with_the_smallest_and_the_largest_part_that_can_be_set(
    app: App, part_bytes: int
) -> None:
    settings(LIGHTKEEPER_PART_BYTES=str(part_bytes))
    file = await app.upload(capture_file([envelope(record("Start"), record("Success", 1))]))
    counts = await app.new_handler(part_bytes=part_bytes).handle_file(file)
    assert counts == Counts(entries=2, condensed=2, operations=1)


async def test_a_handler_that_lost_a_race_decides_again(app: App) -> None:
    rival = await app.upload(capture_file([envelope(record("Start"))]))
    file = await app.upload(capture_file([envelope(record("Success", 1))]))
    subject = f"/blobServices/default/containers/capture/blobs/{file.path}"

    counts = await app.new_handler(overtaken(app, lambda: app.handle(rival))).handle(subject, {})

    assert counts == Counts(entries=1, condensed=2, unparked=1, operations=1)
    (await app.captures.totals(app.integration)).check()


async def test_a_flush_that_lost_a_race_hands_on_only_what_it_won(app: App) -> None:
    starts = [record("Start", correlation=f"c{number}") for number in range(30)]
    await app.handle(await app.upload(capture_file([envelope(*starts)])))
    rival = await app.upload(capture_file([envelope(record("Success", 1, correlation="c7"))]))
    app.now += WAIT

    async def meanwhile() -> None:
        # The rival looks for what has waited too long, too, but earlier, when nothing has.
        app.now -= WAIT
        await app.handle(rival)
        app.now += WAIT

    flushed = await app.new_flusher(overtaken(app, meanwhile)).flush()
    await app.flusher.flush()

    assert flushed.condensed < 30
    lines = [line for lines in (await app.condensed()).values() for line in lines]
    sizes = [line[CONDENSED]["num_correlated_records"] for line in lines]
    assert sorted(sizes) == [1] * 29 + [2]
    totals = await app.captures.totals(app.integration)
    assert totals == Counts(entries=31, condensed=31, parked=30, unparked=30, operations=30)
