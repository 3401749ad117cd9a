"""The runner with real queues and tables: done, back on the queue, given up, set aside, or passed on."""

import base64
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from shared.arm.errors import ArmError, NotAuthorizedError, RefusedError, ThrottledError, UnavailableError
from shared.jobs.message import decode, encode
from shared.jobs.queue import JobQueue
from shared.jobs.runner import JobRunner, describe
from shared.jobs.spread import back_off
from shared.model.jobs import Cause, Job, Phase, Step, cycle_stamp
from shared.model.problem import PROVIDER
from shared.model.reasons import Reason
from shared.store.blobs import BlobStore
from shared.store.claims import ClaimStore
from shared.store.problems import ProblemStore
from shared.store.storage import Storage
from shared.store.tables import ConflictError
from tests.helpers.busy_storage import StandIn
from tests.helpers.facts import NOW, a_job

_QUEUE = Step.SUBSCRIPTION_SETTINGS.queue


@dataclass
class _Handler:
    """Answers as it is told, and remembers what it was asked."""

    answer: float | Exception | None = None
    last_word: Exception | None = None
    ran: list[Job] = field(default_factory=list)
    given_up: list[tuple[Job, ArmError | None]] = field(default_factory=list)

    async def run(self, job: Job) -> float | None:
        self.ran.append(job)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def give_up(self, job: Job, error: ArmError | None) -> None:
        if self.last_word is not None:
            raise self.last_word
        self.given_up.append((job, error))


class _NotingQueue(JobQueue):
    """A queue that also notes with which delay a job was put on it."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self.sent: list[tuple[Job, float]] = []

    async def send(self, job: Job, delay: float = 0.0) -> None:
        self.sent.append((job, delay))
        await super().send(job, delay)


class _Bench:
    """A runner on an empty storage account."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.queue = _NotingQueue(storage)
        self.problems = ProblemStore(storage)

    async def run(self, handler: _Handler, message: Job | bytes, max_attempts: int = 5) -> None:
        runner = JobRunner(
            {Step.SUBSCRIPTION_SETTINGS: handler},
            queue=self.queue,
            problems=self.problems,
            claims=ClaimStore(self.storage),
            max_attempts=max_attempts,
            clock=lambda: NOW,
        )
        await runner.run(_QUEUE, message if isinstance(message, bytes) else encode(message).encode())

    async def on_queue(self, name: str = _QUEUE) -> int:
        properties = await (await self.storage.queue(name)).get_queue_properties()
        return properties.approximate_message_count or 0


@pytest.fixture
def bench(storage: Storage) -> _Bench:
    return _Bench(storage)


async def test_a_job_that_is_done_does_not_come_back(bench: _Bench) -> None:
    handler = _Handler()
    await bench.run(handler, a_job())
    assert handler.ran == [a_job()]
    assert await bench.on_queue() == 0
    assert handler.given_up == []


async def test_a_job_that_asks_for_time_comes_back_after_it(bench: _Bench) -> None:
    await bench.run(_Handler(30.0), a_job())
    assert bench.queue.sent == [(a_job(attempt=1), 30.0)]
    assert await bench.on_queue() == 1


async def test_a_job_may_come_back_at_once(bench: _Bench) -> None:
    await bench.run(_Handler(0.0), a_job())
    message = await (await bench.storage.queue(_QUEUE)).receive_message()
    assert message is not None
    assert decode(base64.b64decode(message.content)) == a_job(attempt=1)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 17.0, 600.0])
async def test_a_throttled_job_comes_back_after_retry_after_and_a_little_more(
    bench: _Bench, seconds: float
) -> None:
    await bench.run(_Handler(ThrottledError("busy", 429, retry_after=seconds)), a_job(attempt=2))
    ((job, delay),) = bench.queue.sent
    assert job == a_job(attempt=3)
    least = max(seconds, 1.0)
    assert least <= delay < least * 1.25


async def test_throttled_jobs_do_not_all_come_back_together(bench: _Bench) -> None:
    for number in range(10):
        await bench.run(_Handler(ThrottledError("busy", 429, retry_after=100.0)), a_job(target=f"t{number}"))
    assert len({delay for _, delay in bench.queue.sent}) == 10


async def assert_tried_ever_later(bench: _Bench, handler: _Handler) -> None:
    """Each time that the handler fails its job comes back after a longer while."""
    for attempt in range(3):
        await bench.run(handler, a_job(attempt=attempt))
    target = a_job().target
    assert bench.queue.sent == [
        (a_job(attempt=attempt + 1), back_off(attempt, 5.0, 900.0, target)) for attempt in range(3)
    ]


@pytest.mark.parametrize(
    "error", [UnavailableError("down", 503), RefusedError("no", 400), NotAuthorizedError("no")]
)
async def test_what_azure_did_not_do_is_tried_again_ever_later(bench: _Bench, error: ArmError) -> None:
    await assert_tried_ever_later(bench, _Handler(error))


async def test_a_job_that_met_another_writer_looks_again_soon(bench: _Bench) -> None:
    await bench.run(_Handler(ConflictError()), a_job())
    ((job, delay),) = bench.queue.sent
    assert job == a_job(attempt=1)
    assert delay <= 5


@pytest.mark.parametrize(
    "answer", [30.0, ThrottledError("busy", 429, retry_after=1.0), UnavailableError("down", 503)]
)
async def test_a_job_that_was_tried_too_often_is_given_up(bench: _Bench, answer: float | ArmError) -> None:
    handler = _Handler(answer)
    await bench.run(handler, a_job(attempt=3))
    assert handler.given_up == []
    await bench.run(handler, a_job(attempt=4))
    assert handler.given_up == [(a_job(attempt=4), answer if isinstance(answer, ArmError) else None)]
    assert await bench.on_queue() == 1, "only the attempt before came back"


async def test_a_job_whose_row_changes_while_it_is_given_up_is_tried_once_more(bench: _Bench) -> None:
    handler = _Handler(UnavailableError("down", 503), last_word=ConflictError())
    await bench.run(handler, a_job(attempt=4))
    assert bench.queue.sent == [(a_job(attempt=5), 1.0)]

    handler.last_word = None
    await bench.run(handler, a_job(attempt=5))
    assert [job for job, _ in handler.given_up] == [a_job(attempt=5)]


async def test_a_job_that_meets_others_whenever_it_is_given_up_comes_to_an_end(bench: _Bench) -> None:
    handler = _Handler(UnavailableError("down", 503), last_word=ConflictError())
    for attempt in range(4, 20):
        await bench.run(handler, a_job(attempt=attempt))
    assert [job.attempt for job, _ in bench.queue.sent] == [5, 6, 7, 8, 9]


async def test_a_job_that_is_done_at_its_last_attempt_is_not_given_up(bench: _Bench) -> None:
    handler = _Handler()
    await bench.run(handler, a_job(attempt=4))
    assert handler.given_up == []


async def test_what_is_not_azures_doing_goes_on_to_the_host(bench: _Bench) -> None:
    handler = _Handler(ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        await bench.run(handler, a_job())
    assert await bench.on_queue() == 0
    assert handler.given_up == []


class _AsksStorage(_Handler):
    """Reads a blob from a storage account that answers as it is told."""

    def __init__(self, busy: StandIn) -> None:
        super().__init__()
        self._busy = busy

    async def run(self, job: Job) -> float | None:
        async with self._busy.storage() as storage:
            await BlobStore(storage).delete("container", "blob")
        return await super().run(job)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("header", "least"), [("17", 17.0), ("0", 1.0), ("600", 600.0)])
async def test_a_job_for_which_storage_has_no_time_comes_back_after_retry_after_and_a_little_more(
    bench: _Bench, status: int, header: str, least: float
) -> None:
    busy = StandIn(status, header)
    await bench.run(_AsksStorage(busy), a_job(attempt=2))
    ((job, delay),) = bench.queue.sent
    assert job == a_job(attempt=3)
    assert least <= delay < least * 1.25
    assert (await bench.on_queue(), len(busy.asked)) == (1, 1)


@pytest.mark.parametrize("busy", [StandIn(503), StandIn(500), StandIn(429), StandIn(broken=1000)])
async def test_what_storage_did_not_do_is_tried_again_ever_later(bench: _Bench, busy: StandIn) -> None:
    await assert_tried_ever_later(bench, _AsksStorage(busy))


@pytest.mark.parametrize("status", [400, 403, 409])
async def test_what_storage_refuses_for_good_goes_on_to_the_host(bench: _Bench, status: int) -> None:
    with pytest.raises(HttpResponseError):
        await bench.run(_AsksStorage(StandIn(status)), a_job())
    assert bench.queue.sent == []


async def test_a_job_for_which_storage_never_has_time_goes_on_to_the_host(bench: _Bench) -> None:
    handler = _AsksStorage(StandIn(503, "1"))
    with pytest.raises(HttpResponseError):
        await bench.run(handler, a_job(attempt=4))
    assert bench.queue.sent == []
    assert handler.given_up == [], "what the job is about is not to blame"


_EARLIER, _LATER = (cycle_stamp(NOW + timedelta(seconds=each)) for each in (-1, 1))


async def test_a_plan_that_was_made_before_another_one_looked_ends_at_once(bench: _Bench) -> None:
    handler = _Handler()
    await bench.run(handler, a_job(phase=Phase.PLAN, target="", cycle=_EARLIER))
    await bench.run(handler, a_job(phase=Phase.PLAN, target="", cycle=_EARLIER))
    await bench.run(handler, a_job(phase=Phase.PLAN, target="", cycle=_LATER))
    assert [job.cycle for job in handler.ran] == [_EARLIER, _LATER]


@pytest.mark.parametrize(
    "other",
    [
        {"cause": Cause.ONBOARDING},
        {"cause": Cause.OPERATOR},
        {"integration_id": "another"},
        {"phase": Phase.TARGET},
    ],
)
async def test_a_plan_overtakes_none_of_another_kind(bench: _Bench, other: dict[str, Any]) -> None:
    handler = _Handler()
    await bench.run(handler, a_job(phase=Phase.PLAN, cycle=_EARLIER))
    await bench.run(handler, replace(a_job(phase=Phase.PLAN, cycle=_EARLIER), **other))
    assert len(handler.ran) == 2


@pytest.mark.parametrize("answer", [1.0, UnavailableError("down", 503), ConflictError()])
async def test_a_plan_that_did_not_come_to_its_end_overtakes_none(
    bench: _Bench, answer: float | Exception
) -> None:
    handler = _Handler(answer)
    await bench.run(handler, a_job(phase=Phase.PLAN, cycle=_EARLIER))
    await bench.run(handler, a_job(phase=Phase.PLAN, cycle=_EARLIER))
    assert len(handler.ran) == 2


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"\xff\xfe", b'{"version":9}', b'{"version":1,"kind":"x:y"}']
)
async def test_a_message_that_is_no_job_is_set_aside_and_a_problem(bench: _Bench, text: bytes) -> None:
    handler = _Handler()

    await bench.run(handler, text)

    assert handler.ran == []
    assert await bench.on_queue() == 0
    message = await (await bench.storage.queue(f"{_QUEUE}-poison")).receive_message()
    assert message is not None
    aside = json.loads(base64.b64decode(message.content))
    assert aside["message"] == text.decode("utf-8", "replace")
    (problem,) = await bench.problems.list(PROVIDER)
    assert (problem.reason, problem.where) == (Reason.MALFORMED_MESSAGE, _QUEUE)
    assert problem.detail == aside["reason"]
    assert problem.since == NOW


async def test_a_message_too_large_to_set_aside_is_a_problem_and_stays_with_the_host(
    bench: _Bench,
) -> None:
    with pytest.raises(HttpResponseError):
        await bench.run(_Handler(), b"x" * 63_000)
    assert len(await bench.problems.list(PROVIDER)) == 1


async def test_a_job_is_described_by_its_identifiers() -> None:
    text = describe(a_job(cause=Cause.LOG, attempt=2))
    assert text == (
        "step=subscription-settings phase=target integration=cccccccc-0000-4000-8000-000000000001 "
        "target=00000000-0000-4000-8000-000000000001 cycle=20261121T120000.000000Z attempt=2 reason=log"
    )
