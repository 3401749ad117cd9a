"""A capture file that no event announced is found as long as it is not handled, and shown until it is."""

from datetime import datetime, timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from shared.capture.again import Again
from shared.jobs.files import FileQueue
from shared.jobs.poison import MAX_DEQUEUE_COUNT
from shared.model.captures import CaptureFile, CaptureState, Counts
from shared.model.reasons import Reason
from shared.settings import LEAST_LEDGER_DAYS
from shared.store.blobs import ContainerName
from shared.store.captures import CaptureStore
from shared.store.ledger import LEASE, LedgerEntry
from shared.store.problems import ProblemStore
from shared.store.set_aside import SetAsideStore
from shared.store.tables import Stored
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import START, App, Files
from tests.capture.auditor import new_audit, new_sweep, open_problems

_DAY = timedelta(days=1)
_CALL = [record(), record("Success", 1)]
_DONE = Counts(entries=2, condensed=2, operations=1)


class BusyLedger(CaptureStore):
    """A ledger that has no time when a file is begun."""

    async def begin(self, entry: LedgerEntry, now: datetime) -> Stored[LedgerEntry]:
        raise HttpResponseError(f"503 for {entry.run} at {now}")


@pytest.fixture
async def missed(app: App) -> CaptureFile:
    """A file that nobody heard of."""
    return await app.upload(capture_file([envelope(*_CALL)]))


def message(file: CaptureFile) -> bytes:
    return b'{"version":1,"path":"%s"}' % file.path.encode()


def again(app: App) -> Again:
    problems = ProblemStore(app.storage)
    aside = SetAsideStore(app.storage, problems, lambda: app.now)
    return Again(app.new_handler(), aside, FileQueue(app.storage))


async def test_a_failure_before_the_file_has_a_row_brings_its_message_back_and_makes_no_poison(
    app: App, missed: CaptureFile
) -> None:
    ledger, app.captures = app.captures, BusyLedger(app.storage)
    for delivery in range(1, MAX_DEQUEUE_COUNT):
        with pytest.raises(HttpResponseError, match="503"):
            await again(app).run(message(missed), delivery)
    await again(app).run(message(missed), MAX_DEQUEUE_COUNT)
    app.captures = ledger
    await again(app).run(message(missed))
    assert await app.captures.totals(app.integration) == _DONE


async def test_a_file_that_lies_aside_needs_no_poison_message_when_it_fails_for_the_last_time(
    app: App,
) -> None:
    aside = SetAsideStore(app.storage, ProblemStore(app.storage), lambda: app.now)
    file = await app.upload(capture_file([envelope(*_CALL), b"junk"]))
    await app.handle(file)
    await aside.reopen(file.id)
    await app.blobs.delete(ContainerName.CAPTURE, file.path)
    with pytest.raises(ResourceNotFoundError):
        await again(app).run(message(file))
    await again(app).run(message(file), MAX_DEQUEUE_COUNT)
    assert await aside.find(file.id) is not None


async def test_the_audit_shows_a_file_without_a_row_and_sends_it_every_day_until_it_is_handled(
    app: App, missed: CaptureFile
) -> None:
    files = Files()
    for days in range(1, 8):
        app.now = START + days * _DAY
        await new_audit(app, files).run()
        (problem,) = await open_problems(app)
        assert (problem.reason, problem.where) == (Reason.ENTRIES_UNACCOUNTED, "2024-05-01")
        assert problem.detail == f"1 files are not in the ledger, the first one {missed.path}"
        assert files.sent == [missed.path] * days

    await again(app).run(message(missed))
    await new_audit(app, files).run()
    assert await open_problems(app) == []
    assert len(files.sent) == 7


async def test_the_audit_sends_what_was_missed_today(app: App, missed: CaptureFile) -> None:
    files = Files()
    app.now = START + timedelta(hours=3)
    await new_audit(app, files).run()
    assert files.sent == [missed.path]
    assert await open_problems(app) == []


@pytest.mark.parametrize("days", [20, 29, 30])
async def test_a_file_is_found_however_long_no_audit_ran(app: App, missed: CaptureFile, days: int) -> None:
    files = Files()
    app.now = START + days * _DAY
    await new_audit(app, files).run()
    assert files.sent == [missed.path]
    assert [problem.where for problem in await open_problems(app)] == ["2024-05-01"]


async def test_a_file_that_may_still_be_on_its_way_is_sent_and_not_yet_shown(app: App) -> None:
    files = Files()
    file = await app.upload(capture_file([envelope(*_CALL)]), moment=START.replace(hour=23, minute=45))
    app.now = file.written_at + timedelta(minutes=30)
    await new_audit(app, files).run()
    assert files.sent == [file.path]
    assert await open_problems(app) == []
    app.now += _DAY
    await new_audit(app, files).run()
    assert [problem.where for problem in await open_problems(app)] == ["2024-05-01"]


async def test_old_files_from_before_the_hub_was_assigned_are_left_alone(app: App) -> None:
    """Whoever had a hub of that name before has them in a ledger of their own."""
    files = Files()
    await app.upload(capture_file([envelope(*_CALL)]), moment=START - timedelta(minutes=1))
    app.now = START + 3 * _DAY
    await new_audit(app, files).run()
    assert files.sent == []
    assert await open_problems(app) == []


async def test_files_of_a_day_that_has_become_one_row_are_left_alone(app: App, missed: CaptureFile) -> None:
    await app.handle(missed)
    app.now = START + LEAST_LEDGER_DAYS * _DAY
    await new_audit(app, Files()).run()
    assert [row.run for row in await app.captures.day(app.integration, START)] == ["day"]
    assert await new_sweep(app, Files()).missed_on([app.assignment], START.replace(hour=0)) == []


async def test_a_file_that_is_cut_off_is_sent_and_shown_until_it_is_set_aside(
    app: App, missed: CaptureFile
) -> None:
    files = Files()
    app.now = START + 10 * _DAY
    row = LedgerEntry(app.integration, missed.id, missed.written_at, missed.path, CaptureState.LEASED)
    await app.captures.begin(row, app.now)
    app.now += LEASE
    for sent in (1, 2, 3, 4):
        await new_audit(app, files).run()
        assert len(files.sent) == sent
        app.now += _DAY
    (problem,) = await open_problems(app)
    assert problem.detail == f"1 files are not done, the first one {missed.path}"

    await again(app).run(message(missed))

    await new_audit(app, files).run()
    assert await open_problems(app) == []
    assert [problem.reason for problem in app.problems.reported] == [Reason.CAPTURE_FILE_FAILED]
    assert len(files.sent) == 4


async def test_a_file_that_was_handled_is_not_handled_once_more_too_late(app: App) -> None:
    """What left in it may be forgotten by then, and less would take the place of what was handed on."""
    files = Files()
    file = await app.upload(capture_file([envelope(*_CALL), b"junk"]))
    await app.handle(file)
    aside = SetAsideStore(app.storage, ProblemStore(app.storage), lambda: app.now)
    await aside.reopen(file.id)
    app.now = START + _DAY
    await new_audit(app, files).run()
    assert files.sent == [file.path]
    leased = await app.captures.begin((await app.captures.day(app.integration, START))[0], app.now)
    await app.captures.release(leased, "OSError")
    before = await app.condensed()
    app.now += _DAY
    await new_audit(app, files).run()
    assert files.sent == [file.path, file.path]

    await again(app).run(message(file))

    assert await app.condensed() == before
    assert (await app.captures.day(app.integration, START))[0].state is CaptureState.DONE
    await new_audit(app, files).run()
    assert await open_problems(app) == []
