"""Operations that are whole in a file, beside others who know more of them, and what is counted of them."""

import json
from typing import Any

from shared.capture.correlate import Run
from shared.capture.correlator import Correlator
from shared.capture.entries import CONDENSED
from shared.capture.output import lines_of
from shared.model.captures import CaptureFile, Counts
from shared.store.ledger import LEASE
from shared.store.operations import bucket_of
from tests.capture.activity_log import capture_file, envelope, in_one_part, record
from tests.capture.app import WAIT, App
from tests.capture.scenes import fail
from tests.capture.stores import overtaken

_ONE = [record("Start"), record("Accept", 1), record("Accept", 1), record("Success", 2)]
_OTHER = [record("Start", correlation="c2"), record("Failure", 1, correlation="c2")]
_BOTH = Counts(entries=6, condensed=5, duplicates=1, operations=2)
"""What becomes of these if nothing else is known of them."""


async def both(app: App) -> CaptureFile:
    return await app.upload(capture_file([envelope(*_ONE, *_OTHER)]))


async def latest(app: App) -> dict[str, tuple[int, int]]:
    """By correlation ID the highest revision, and how many entries it has."""
    found: dict[str, tuple[int, int]] = {}
    for lines in (await app.condensed()).values():
        for line in lines:
            about: dict[str, Any] = line[CONDENSED]
            made = about["revision"], about["num_correlated_records"]
            found[line["correlationId"]] = max(made, found.get(line["correlationId"], made))
    return found


async def test_repeated_entries_of_a_whole_operation_are_counted(app: App) -> None:
    assert await app.handle(await both(app)) == _BOTH
    assert await latest(app) == {"c1": (1, 3), "c2": (1, 2)}


async def test_a_whole_operation_takes_along_what_waits_of_it(app: App) -> None:
    await app.handle(await app.upload(capture_file([envelope(record("Accept", 9))])))
    counts = await app.handle(await both(app))
    assert counts == Counts(entries=6, condensed=6, duplicates=1, unparked=1, operations=2)
    assert await latest(app) == {"c1": (1, 4), "c2": (1, 2)}


async def test_a_whole_operation_that_left_before_leaves_once_more_with_all_its_entries(app: App) -> None:
    await app.handle(await both(app))
    again = [record("Start", 30), record("Start", 30), record("Success", 31)]
    counts = await app.handle(await app.upload(capture_file([envelope(*again, *_OTHER)])))
    assert counts == Counts(entries=5, condensed=2, duplicates=3, operations=1)
    assert await latest(app) == {"c1": (2, 5), "c2": (1, 2)}


async def test_a_file_that_lost_a_race_for_its_whole_operations_decides_again_about_all_of_them(
    app: App,
) -> None:
    rival = await app.upload(capture_file([envelope(record("Accept", 9))]))
    handler = app.new_handler(overtaken(app, lambda: app.handle(rival)))
    counts = await handler.handle_file(await both(app))
    assert counts == Counts(entries=6, condensed=6, duplicates=1, unparked=1, operations=2)
    assert await latest(app) == {"c1": (1, 4), "c2": (1, 2)}


async def test_whole_operations_of_a_run_that_was_cut_off_are_counted_as_at_first(app: App) -> None:
    file = await both(app)
    await fail(app, file)
    app.now += LEASE
    assert await app.handle(file) == _BOTH
    assert await latest(app) == {"c1": (1, 3), "c2": (1, 2)}


async def test_an_entry_that_does_not_name_its_operation_holds_back_no_whole_one(app: App) -> None:
    unnamed = record("Accept", 1, operationName=None)
    counts = await app.handle(await app.upload(capture_file([envelope(*_ONE, unnamed)])))
    assert counts == Counts(entries=5, condensed=3, duplicates=1, parked=1, operations=1)
    assert await latest(app) == {"c1": (1, 3)}


async def test_what_was_decided_in_several_buckets_leaves_in_the_order_of_time(app: App) -> None:
    part = in_one_part(
        record(status, second, correlation=f"c{second}")
        for second in range(40)
        for status in ("Start", "Success")
    )
    assert len({bucket_of(one.key.correlation) for one in part.whole}) > 1
    run = Run("run", app.now, WAIT)
    plan = await Correlator(app.operations).decide(app.integration, run, part.administrative, part.whole)
    lines = b"".join(lines_of(plan.passed, plan.records, plan.whole))
    assert [json.loads(line)["correlationId"] for line in lines.splitlines()] == [f"c{n}" for n in range(40)]
