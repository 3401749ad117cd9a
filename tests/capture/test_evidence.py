"""Nothing is lost, and whoever doubts it can look."""

import json
import logging
import re
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.capture.audit import STILL_PARKED, lost_while_parked, unaccounted
from shared.capture.evidence import DAY_EVENT, EVENT, report, report_day
from shared.model.captures import CaptureState, Counts
from shared.model.reasons import Reason
from shared.settings import LEAST_LEDGER_DAYS
from shared.store.ledger import LEASE, LedgerEntry
from shared.store.tables import TableName
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import START, App, Files
from tests.capture.auditor import new_audit, new_sweep, open_problems

NOW = datetime(2024, 5, 2, 1, 30, tzinfo=UTC)
DONE = LedgerEntry(
    "i", "r", NOW, "ns/hub/0/a.avro", CaptureState.DONE, counts=Counts(entries=2, condensed=2), begun_at=NOW
)


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([], None),
        ([DONE], None),
        ([replace(DONE, counts=Counts(entries=3, condensed=2))], "1 of 3 entries are not accounted for"),
        ([replace(DONE, state=CaptureState.LEASED)], None),
        (
            [replace(DONE, state=CaptureState.LEASED, begun_at=NOW - timedelta(hours=2), trouble="OSError")],
            "1 files are not done, the first one ns/hub/0/a.avro (OSError)",
        ),
    ],
)
def test_a_day_is_accounted_for_when_its_files_are_done_and_add_up(
    rows: list[LedgerEntry], wrong: str | None
) -> None:
    assert unaccounted(rows, [], NOW) == wrong


@pytest.mark.parametrize(
    ("total", "waiting", "wrong"),
    [
        (Counts(entries=3, parked=3), 3, None),
        (Counts(entries=3, parked=3, unparked=2, condensed=2), 1, None),
        (Counts(entries=3, parked=3), 1, "2 entries were parked and neither left nor wait"),
        (Counts(entries=3, parked=3, unparked=3, condensed=3), 1, None),
    ],
)
def test_what_was_parked_must_wait_or_have_left(total: Counts, waiting: int, wrong: str | None) -> None:
    assert lost_while_parked(total, waiting) == wrong


async def test_the_counts_of_every_run_stand_in_one_log_line_under_fixed_names(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "shared.capture.evidence")
    file = await app.upload(capture_file([envelope(record("Start"), record("Success", 1, correlation="c2"))]))
    await app.handle(file)
    app.now += app.wait
    await app.flusher.flush()
    lines = [line.getMessage() for line in caplog.records if line.name == "shared.capture.evidence"]
    assert all(line.startswith(f"{EVENT} ") for line in lines)
    runs: list[dict[str, Any]] = [json.loads(line.removeprefix(f"{EVENT} ")) for line in lines]
    assert [run["source"] for run in runs] == [file.path, ""]
    assert {run["integration"] for run in runs} == {app.integration}
    assert [(run["entries"], run["parked"], run["unparked"], run["condensed"]) for run in runs] == [
        (2, 2, 0, 0),
        (0, 0, 2, 2),
    ]
    attributes = caplog.records[-1].__dict__
    assert attributes[f"{EVENT}.condensed"] == 2


async def test_a_file_that_no_event_announced_is_found_and_sent_once_its_event_would_have_come(
    app: App,
) -> None:
    files = Files()
    sweep = new_sweep(app, files)
    done = await app.upload(capture_file([envelope(record())]))
    await app.handle(done)
    missed = await app.upload(capture_file([envelope(record("Success", 1))]), partition=3)
    await app.blobs.write("capture", missed.path.replace(".avro", ".tmp"), b"", "application/octet-stream")

    app.now = missed.written_at + LEASE - timedelta(seconds=1)
    assert await sweep.sweep() == 0
    app.now += timedelta(seconds=1)
    assert await sweep.sweep() == 1
    assert files.sent == [missed.path]

    await app.handle(missed)
    assert await sweep.sweep() == 0


async def test_a_file_that_somebody_is_handling_is_not_sent_and_one_that_failed_is(app: App) -> None:
    files = Files()
    file = await app.upload(capture_file([envelope(record())]))
    app.now = file.written_at + LEASE
    row = LedgerEntry(app.integration, file.id, file.written_at, file.path, CaptureState.LEASED)
    leased = await app.captures.begin(row, app.now)
    assert await new_sweep(app, files).sweep() == 0
    await app.captures.release(leased, "OSError")
    assert await new_sweep(app, files).sweep() == 1


async def test_files_older_than_the_sweep_reaches_are_left_alone(app: App) -> None:
    files = Files()
    await app.upload(capture_file([envelope(record())]))
    app.now = START + timedelta(hours=2, minutes=1)
    assert await new_sweep(app, files).sweep() == 0
    assert files.sent == []


async def test_a_file_from_before_its_hub_was_assigned_is_done_when_it_is_set_aside(app: App) -> None:
    files = Files()
    file = await app.upload(capture_file([envelope(record())]), moment=START - timedelta(minutes=1))
    app.now = START + LEASE
    assert await new_sweep(app, files).sweep() == 1
    await app.handle(file)
    assert await new_sweep(app, files).sweep() == 0


async def test_the_audit_reports_what_is_not_accounted_for_until_it_is(app: App) -> None:
    files = Files()
    file = await app.upload(capture_file([envelope(record(), record("Accept", 1))]))
    await app.handle(file)
    lost = await app.upload(capture_file([envelope(record("Success", 2))]), partition=1)
    app.now += timedelta(days=1)
    await app.flusher.flush()
    table = await app.storage.table(TableName.CAPTURES)
    row = await table.get_entity(f"{app.integration}-20240501", file.id)
    await table.update_entity({**row, "entries": row["entries"] + 1})

    await new_audit(app, files).run()

    (problem,) = await open_problems(app)
    assert (problem.reason, problem.where) == (Reason.ENTRIES_UNACCOUNTED, "2024-05-01")
    assert problem.detail == (
        f"1 of 3 entries are not accounted for; 1 files are not in the ledger, the first one {lost.path}"
    )
    assert files.sent == [lost.path]
    await table.update_entity(row)
    await app.handle(lost)
    await new_audit(app, files).run()
    assert await open_problems(app) == []


async def test_the_audit_sees_that_parked_entries_are_gone(app: App) -> None:
    await app.handle(await app.upload(capture_file([envelope(record(), record("Accept", 1))])))
    audit = new_audit(app, Files())
    await audit.run()
    assert await open_problems(app) == []
    table = await app.storage.table(TableName.OPERATIONS)
    async for row in table.query_entities(f"PartitionKey eq '{app.integration}'"):
        await table.delete_entity(row)
    await audit.run()
    assert [problem.where for problem in await open_problems(app)] == [STILL_PARKED]


async def test_after_a_month_the_runs_of_a_day_are_one_row_that_counts_the_same(app: App) -> None:
    for number in range(3):
        body = envelope(record(), record("Success", 1, correlation=f"c{number}"))
        await app.handle(await app.upload(capture_file([body]), partition=number))
    aside = await app.upload(capture_file([b"junk"]))
    await app.handle(aside)
    app.now += timedelta(hours=1)
    await app.flusher.flush()
    before, last = await app.captures.overview(app.integration)
    app.now += timedelta(days=LEAST_LEDGER_DAYS + 1)

    for _ in range(2):
        await new_audit(app, Files()).run()
        rows = await app.captures.day(app.integration, START)
        assert {row.run for row in rows} == {"day", aside.id}
        after, still = await app.captures.overview(app.integration)
        assert after == before
        assert still == last


async def test_the_audit_adds_up_days_that_are_over_so_that_their_runs_need_not_be_read(app: App) -> None:
    for days in range(3):
        moment = START + timedelta(days=days)
        body = envelope(record(), record("Success", 1, correlation=f"c{days}"))
        await app.handle(await app.upload(capture_file([body]), moment=moment))
    app.now = START + timedelta(days=3)
    await app.flusher.flush()
    before = await app.captures.overview(app.integration)

    await new_audit(app, Files()).run()
    table = await app.storage.table(TableName.CAPTURES)
    for days in range(3):
        partition = f"{app.integration}-{START + timedelta(days=days):%Y%m%d}"
        async for row in table.query_entities(f"PartitionKey eq '{partition}'"):
            await table.delete_entity(row)

    assert await app.captures.overview(app.integration) == before


async def test_what_a_day_came_to_stands_in_one_log_line_and_once_more_when_it_has_changed(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "shared.capture.evidence")

    async def said() -> list[dict[str, Any]]:
        caplog.clear()
        await new_audit(app, Files()).run()
        begin = f"{DAY_EVENT} "
        lines = [line for line in caplog.messages if line.startswith(begin)]
        days = [json.loads(line.removeprefix(begin)) for line in lines]
        return [day for day in days if day["entries"]]

    await app.handle(await app.upload(capture_file([envelope(record(), record("Success", 1)), b"junk"])))
    app.now = START + timedelta(hours=23)
    wanted = {"integration": app.integration, "day": "2024-05-01", **asdict(Counts())}
    first = wanted | {"entries": 3, "condensed": 2, "set_aside": 1, "operations": 1}
    assert await said() == [first]
    assert caplog.records[-1].__dict__[f"{DAY_EVENT}.integration"] == app.integration
    assert await said() == []

    await app.handle(await app.upload(capture_file([envelope(record("Accept", 2))])))
    assert await said() == [first | {"entries": 4, "condensed": 3, "operations": 2}]


def test_what_is_documented_of_the_lines_is_what_stands_in_them(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "shared.capture.evidence")
    report(DONE)
    report_day("i", NOW, DONE.counts)
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    for event, line in zip((EVENT, DAY_EVENT), caplog.messages, strict=True):
        section = page[page.index(f"## `{event}`") :].partition("\n## ")[0]
        named = re.findall(r"(?m)^\| `(\w+)` \|", section)
        said = json.loads(line.removeprefix(f"{event} "))
        counts = [one.name for one in fields(Counts)]
        assert named == [name for name in said if event == EVENT or name not in counts]
