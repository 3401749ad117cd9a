"""What an operator asks to have handled once more, and fails again."""

from datetime import timedelta

import pytest

from shared.model.captures import CaptureFile, CaptureState
from shared.model.reasons import Reason
from shared.store.blobs import ContainerName
from shared.store.ledger import LedgerEntry
from shared.store.operations import OperationStore
from shared.store.problems import ProblemStore
from shared.store.set_aside import SetAsideStore
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import WAIT, App, Files
from tests.capture.auditor import new_audit, open_problems
from tests.capture.operators import Operator
from tests.capture.scenes import begin, blobs_in, fail, hourly
from tests.capture.test_replay_late import assert_refused, partly_aside


class _Busy(ProblemStore):
    """Has no time when problems are settled."""

    async def settle(self, integration_id: str, *_: object) -> None:
        raise TimeoutError(integration_id)


@pytest.fixture
def operator(operator: Operator) -> Operator:
    app = operator.app
    app.operations = OperationStore(app.storage, app.blobs, WAIT, timedelta(days=2))
    app.now += timedelta(minutes=1)
    return operator


async def state_of(app: App, file: CaptureFile) -> tuple[object, ...]:
    """What an operator and a customer see of a file."""
    row = await app.captures.read(app.integration, file.written_at, file.id)
    assert isinstance(row, LedgerEntry)
    blobs = [await blobs_in(app, name) for name in (ContainerName.CONDENSED, ContainerName.SET_ASIDE)]
    return row.state, row.counts, row.output, row.aside, blobs


async def test_a_replay_that_keeps_failing_leaves_what_was_handed_on_and_what_lies_aside(
    operator: Operator,
) -> None:
    app = operator.app
    file = await partly_aside(app)
    before = await state_of(app, file)
    assert (await operator.api.replay(file.id)).status == 202
    for _ in hourly(app):
        await fail(app, file)

    await app.handle(file)

    assert await state_of(app, file) == before
    assert [one["id"] for one in await operator.listed()] == [file.id]


async def test_a_replay_that_succeeds_too_late_changes_nothing(operator: Operator) -> None:
    app = operator.app
    file = await partly_aside(app)
    before = await state_of(app, file)
    app.now += timedelta(hours=22)
    assert (await operator.api.replay(file.id)).status == 202
    app.now += timedelta(hours=23)
    await fail(app, file)
    app.now += timedelta(hours=10)

    await app.handle(file)

    assert await state_of(app, file) == before


async def test_a_replay_that_failed_and_is_discarded_is_ended_by_the_audit(operator: Operator) -> None:
    app = operator.app
    file = await partly_aside(app)
    before = await state_of(app, file)
    assert (await operator.api.replay(file.id)).status == 202
    await fail(app, file)
    assert (await operator.api.discard(file.id)).status == 204
    app.now += timedelta(days=2)
    files = Files()
    await new_audit(app, files).run()
    assert (files.sent, len(await open_problems(app))) == ([file.path], 1)

    await app.handle(file)

    assert await state_of(app, file) == before
    await new_audit(app, files).run()
    assert (files.sent, await open_problems(app)) == ([file.path], [])


async def test_a_file_that_was_given_up_keeps_what_it_took_along_when_its_replay_fails_or_comes_too_late(
    operator: Operator,
) -> None:
    app = operator.app
    await begin(app, "c3")
    app.now += WAIT
    file = await app.upload(capture_file([envelope(record("Success", 2, correlation="c3"))]))
    for _ in hourly(app):
        await fail(app, file)
    await app.handle(file)
    before = await state_of(app, file)
    assert before[0] is CaptureState.SET_ASIDE
    assert (await app.captures.totals(app.integration)).unparked == 1

    assert (await operator.api.replay(file.id)).status == 202
    for _ in hourly(app):
        await fail(app, file)
    await app.handle(file)
    assert await state_of(app, file) == before
    assert await operator.reasons(app.integration) == [Reason.CAPTURE_FILE_FAILED]

    app.now += timedelta(days=2)
    await assert_refused(operator, file, "discard")


async def test_a_file_stays_in_the_list_until_its_problem_is_settled(operator: Operator) -> None:
    app = operator.app
    file = await partly_aside(app)
    busy = SetAsideStore(app.storage, _Busy(app.storage), lambda: app.now)
    with pytest.raises(TimeoutError):
        await busy.forget(file.id)

    assert (await operator.api.discard(file.id)).status == 204
    assert await operator.listed() == []
    assert await operator.reasons(app.integration) == []
