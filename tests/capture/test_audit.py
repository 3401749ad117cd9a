"""What the audit finds wrong stays until it is mended, and ends then."""

from datetime import datetime, timedelta

from shared.capture.audit import STILL_PARKED
from shared.model.captures import CaptureFile, CaptureState
from shared.store.ledger import TOO_LATE, LedgerEntry
from shared.store.problems import ProblemStore
from shared.store.set_aside import SetAsideStore
from shared.store.tables import TableName
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import START, App, Files
from tests.capture.auditor import new_audit, open_problems

_DAY = timedelta(days=1)


async def wrong(app: App) -> list[str]:
    """Where something is wrong after an audit."""
    await new_audit(app, Files()).run()
    return sorted(problem.where for problem in await open_problems(app))


async def begun(app: App) -> CaptureFile:
    """A file whose worker died."""
    file = await app.upload(capture_file([envelope(record(), record("Success", 1))]))
    row = LedgerEntry(app.integration, file.id, file.written_at, file.path, CaptureState.LEASED)
    await app.captures.begin(row, app.now)
    return file


async def replayed(app: App, now: datetime) -> CaptureFile:
    """A file that was set aside whole, and is to be handled once more."""
    file = await app.upload(b"no capture file")
    await app.handle(file)
    app.now = now
    await SetAsideStore(app.storage, ProblemStore(app.storage), lambda: app.now).reopen(file.id)
    return file


async def lose_what_waits(app: App) -> None:
    table = await app.storage.table(TableName.OPERATIONS)
    async for row in table.query_entities(f"PartitionKey eq '{app.integration}'"):
        await table.delete_entity(row)


async def park(app: App, correlation: str) -> None:
    entry = record("Start", correlation=correlation)
    await app.handle(await app.upload(capture_file([envelope(entry)]), moment=app.now))


async def test_the_problem_of_a_day_ends_whenever_the_day_is_mended(app: App) -> None:
    file = await begun(app)
    app.now += _DAY
    assert await wrong(app) == ["2024-05-01"]
    app.now += 9 * _DAY
    assert await wrong(app) == ["2024-05-01"]
    await app.handle(file)
    assert await wrong(app) == []


async def test_a_run_that_is_not_done_is_found_however_old_its_day_is(app: App) -> None:
    app.now += _DAY
    assert await wrong(app) == []
    app.now += 10 * _DAY
    await begun(app)
    app.now += _DAY
    assert await wrong(app) == ["2024-05-01"]


async def test_runs_of_a_day_with_a_problem_become_one_row_only_when_it_is_mended(app: App) -> None:
    other = await app.upload(capture_file([envelope(record(), record("Success", 1))]))
    await app.handle(other)
    file = await begun(app)
    app.now += _DAY
    assert await wrong(app) == ["2024-05-01"]
    app.now += 40 * _DAY
    assert await wrong(app) == ["2024-05-01"]
    assert {row.run for row in await app.captures.day(app.integration, START)} == {file.id, other.id}

    assert (await app.handle(file)).set_aside == 1
    assert await wrong(app) == []
    assert {row.run for row in await app.captures.day(app.integration, START)} == {file.id, "day"}
    assert (await app.captures.totals(app.integration)).entries == 3


async def test_parked_entries_that_are_gone_are_shown_as_long_as_they_are(app: App) -> None:
    await park(app, "gone")
    await lose_what_waits(app)
    for _ in range(3):
        assert await wrong(app) == [STILL_PARKED]
        app.now += 5 * _DAY


async def test_entries_parked_long_ago_that_leave_now_hide_no_loss(app: App) -> None:
    await park(app, "before")
    app.now += 6 * _DAY
    await app.flusher.flush()
    await park(app, "gone")
    await lose_what_waits(app)
    assert await wrong(app) == [STILL_PARKED]
    assert (await app.captures.totals(app.integration)).still_parked == 1


async def test_while_a_run_may_have_taken_entries_along_nothing_is_said_of_what_waits(app: App) -> None:
    await park(app, "taken along")
    file = await begun(app)
    await lose_what_waits(app)
    assert await wrong(app) == []

    app.now += timedelta(hours=1)
    await app.handle(file)
    assert await wrong(app) == [STILL_PARKED]
    await begun(app)
    assert await wrong(app) == [STILL_PARKED]


async def test_as_long_as_a_run_may_be_begun_anew_nothing_is_said_of_what_waits(app: App) -> None:
    await park(app, "taken along")
    file = await begun(app)
    await lose_what_waits(app)
    app.now += TOO_LATE - timedelta(seconds=1)
    assert await wrong(app) == ["2024-05-01"]
    assert (await app.handle(file)).condensed == 2
    assert await wrong(app) == [STILL_PARKED]


async def test_an_old_file_that_is_handled_once_more_and_fails_may_have_taken_entries_along(app: App) -> None:
    file = await replayed(app, START + 10 * _DAY)
    await park(app, "taken along")
    known = await app.captures.read(app.integration, file.written_at, file.id)
    assert known is not None
    await app.captures.release(await app.captures.begin(known, app.now), "OSError")
    await lose_what_waits(app)
    assert await wrong(app) == []
    app.now += TOO_LATE
    assert await wrong(app) == ["2024-05-01", STILL_PARKED]


async def test_a_file_that_nobody_began_to_handle_once_more_hides_no_loss(app: App) -> None:
    await replayed(app, START)
    await park(app, "gone")
    await lose_what_waits(app)
    assert await wrong(app) == [STILL_PARKED]


async def test_a_run_that_nobody_begins_anew_does_not_hide_a_loss_for_ever(app: App) -> None:
    await park(app, "gone")
    await begun(app)
    await lose_what_waits(app)
    app.now += 2 * _DAY
    assert await wrong(app) == ["2024-05-01", STILL_PARKED]
