"""Jobs on real queues: sent at once or later, in any number."""

import base64
import json

import pytest
from azure.storage.queue.aio import QueueClient

from shared.jobs.message import decode
from shared.jobs.queue import JobQueue
from shared.jobs.spread import MOST_DELAY
from shared.model.jobs import Job, Step
from shared.store.storage import Storage
from tests.helpers.facts import NOW, a_guid, a_job


@pytest.fixture
def queue(storage: Storage) -> JobQueue:
    return JobQueue(storage)


async def _client(storage: Storage, name: str = Step.SUBSCRIPTION_SETTINGS.queue) -> QueueClient:
    return await storage.queue(name)


async def _visible(storage: Storage) -> list[Job]:
    client = await _client(storage)
    return [decode(base64.b64decode(message.content)) async for message in client.receive_messages()]


async def test_a_job_arrives_as_it_was_sent(storage: Storage, queue: JobQueue) -> None:
    await queue.send(a_job(attempt=3))
    assert await _visible(storage) == [a_job(attempt=3)]


async def test_a_job_with_a_delay_is_not_seen_before_its_time(storage: Storage, queue: JobQueue) -> None:
    await queue.send(a_job(), 3600.0)
    assert await _visible(storage) == []
    properties = await (await _client(storage)).get_queue_properties()
    assert properties.approximate_message_count == 1


@pytest.mark.parametrize("delay", [0.0, 0.2, 1.0, float(MOST_DELAY), 10.0 * MOST_DELAY])
async def test_any_delay_is_one_that_a_queue_takes(storage: Storage, queue: JobQueue, delay: float) -> None:
    await queue.send(a_job(), delay)
    assert len(await _visible(storage)) == (1 if delay == 0 else 0)


async def test_hundreds_of_jobs_arrive_once_each(storage: Storage, queue: JobQueue) -> None:
    jobs = [a_job(target=a_guid(number)) for number in range(300)]
    await queue.send_all((job, 0.0) for job in jobs)
    arrived = await _visible(storage)
    assert sorted(job.target for job in arrived) == [job.target for job in jobs]


async def test_each_step_has_its_queue(storage: Storage, queue: JobQueue) -> None:
    for step in Step:
        await queue.send(a_job(step=step))
    for step in Step:
        message = await (await _client(storage, step.queue)).receive_message()
        assert message is not None
        assert decode(base64.b64decode(message.content)).step is step


async def test_a_message_is_set_aside_whole_with_its_reason(storage: Storage, queue: JobQueue) -> None:
    await queue.set_aside("sync-event-hubs", b"\xff not \xc3\xa4 job", "not a job message")
    message = await (await _client(storage, "sync-event-hubs-poison")).receive_message()
    assert message is not None
    aside = json.loads(base64.b64decode(message.content))
    assert aside == {"reason": "not a job message", "message": "\ufffd not ä job"}
    assert message.inserted_on is not None
    assert message.inserted_on.year >= NOW.year
