"""A worker dies, and the app is away for longer than what left is kept: what it took along still leaves."""

from contextlib import suppress
from datetime import timedelta

import pytest
from azure.core.exceptions import ResourceNotFoundError

from shared.model.captures import CaptureFile
from shared.model.reasons import Reason
from shared.store.blobs import ContainerName
from shared.store.operations import OperationStore
from shared.store.problems import ProblemStore
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import RETENTION, WAIT, App, Files
from tests.capture.auditor import new_audit, open_problems
from tests.capture.scenes import begin, blobs_in, fail, in_one_bucket
from tests.capture.stores import failing
from tests.capture.test_cut_off import members_of, new_app

_LONG = 2 * RETENTION + timedelta(hours=1)

ROOMY = (10, 1 << 20)
"""How much a row holds: so little that what left goes to blobs, or all of it."""


class Customer:
    """An app with something that has waited long enough.

    Args:
        app: the app.
        roomy: how much a row holds.
    """

    def __init__(self, app: App, roomy: int) -> None:
        self.app = app
        self.names = in_one_bucket()
        self.waited = next(self.names)
        app.problems = ProblemStore(app.storage)
        app.operations = OperationStore(app.storage, app.blobs, WAIT, RETENTION, roomy=roomy)
        app.flusher = app.new_flusher()

    async def wait(self) -> None:
        await begin(self.app, self.waited)
        self.app.now += WAIT

    async def flush_and_die(self) -> None:
        with pytest.raises(ExceptionGroup):
            await self.app.new_flusher(failing(self.app, OSError())).flush()

    async def handle_and_die(self) -> CaptureFile:
        own = record("Start", correlation=next(self.names))
        file = await self.app.upload(capture_file([envelope(own)]), moment=self.app.now)
        await fail(self.app, file)
        return file

    async def others_work(self) -> None:
        """Have other files write the bucket, which lets everything be forgotten that may be."""
        for name in (next(self.names) for _ in range(3)):
            whole = record("Start", correlation=name), record("Success", 1, correlation=name)
            file = await self.app.upload(capture_file([envelope(*whole)]), moment=self.app.now)
            await self.app.new_handler(self.app.operations).handle_file(file)

    async def left(self) -> list[int]:
        """How many entries the records have that what had waited is in."""
        return await members_of(self.app, self.waited)

    async def audit(self) -> list[str]:
        """Run the audit; gives where entries are not accounted for."""
        await new_audit(self.app, Files()).run()
        problems = await open_problems(self.app)
        return [problem.where for problem in problems if problem.reason is Reason.ENTRIES_UNACCOUNTED]


@pytest.fixture(params=ROOMY)
async def customer(request: pytest.FixtureRequest) -> Customer:
    customer = Customer(await new_app(), request.param)
    await customer.wait()
    return customer


async def test_what_left_in_a_flush_that_was_cut_off_leaves_when_the_app_is_back(customer: Customer) -> None:
    await customer.flush_and_die()
    customer.app.now += _LONG
    await customer.others_work()
    await customer.audit()
    await customer.others_work()
    await customer.app.flusher.flush()
    assert await customer.left() == [1]


async def test_what_left_in_a_file_that_was_cut_off_leaves_when_the_app_is_back(customer: Customer) -> None:
    file = await customer.handle_and_die()
    customer.app.now += _LONG
    await customer.others_work()
    await customer.audit()
    await customer.others_work()
    assert (await customer.app.handle(file)).set_aside
    assert await customer.left() == [1]
    customer.app.now += timedelta(days=1)
    await customer.app.flusher.flush()
    assert await customer.audit() == []


async def test_what_had_waited_is_forgotten_by_the_audit_when_no_run_may_need_it(customer: Customer) -> None:
    app = customer.app
    await app.flusher.flush()
    assert await customer.left() == [1]
    app.now += 2 * RETENTION
    await customer.others_work()
    late = record("Success", 1, correlation=customer.waited)
    assert (await app.handle(await app.upload(capture_file([envelope(late)])))).parked == 1
    app.now += 2 * RETENTION
    await app.flusher.flush()
    await customer.audit()
    app.now += 2 * RETENTION
    await customer.audit()
    assert await blobs_in(app, ContainerName.PARKED) == {}
    assert await app.operations.needing_attention(app.integration, app.now + 99 * RETENTION) == []


@pytest.mark.parametrize("is_file", [True, False])
async def test_an_operation_that_began_anew_does_not_take_the_place_of_what_left_in_a_run_that_was_cut_off(
    customer: Customer, *, is_file: bool
) -> None:
    app = customer.app
    file = await customer.handle_and_die() if is_file else None
    if file is None:
        await customer.flush_and_die()
    app.now += RETENTION / 2
    await customer.others_work()
    app.now += RETENTION / 2 + timedelta(hours=1)
    for status in ("Start", "Success"):
        again = record(status, 30, correlation=customer.waited)
        await app.handle(await app.upload(capture_file([envelope(again)]), moment=app.now))
        app.now += timedelta(minutes=1)
    assert await customer.left() == [2]
    app.now += 2 * RETENTION
    if file is None:
        await app.flusher.flush()
    else:
        assert (await app.handle(file)).set_aside
    assert sorted(await customer.left()) == [1, 2]


async def test_a_file_that_was_begun_and_is_gone_goes_aside_in_the_end(customer: Customer) -> None:
    app = customer.app
    file = await customer.handle_and_die()
    await app.blobs.delete(file.container, file.path)
    files = Files()
    for _ in range(4):
        app.now += timedelta(days=1)
        await new_audit(app, files).run()
        for path in files.sent:
            assert path == file.path
            with suppress(ResourceNotFoundError):
                await app.handle(file)
        files.sent.clear()
    assert await customer.audit() == []
    assert await customer.left() == [1]
