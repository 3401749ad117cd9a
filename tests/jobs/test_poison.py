"""Poison messages: seen, named as problems, put back or thrown away, each exactly once."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from shared.jobs.files import FILE_QUEUE, FileQueue, wanted_in
from shared.jobs.message import encode
from shared.jobs.poison import Poison, PoisonMessage, Taken
from shared.jobs.queue import JobQueue
from shared.model.jobs import Step
from shared.model.problem import PROVIDER
from shared.model.reasons import Reason
from shared.store.problems import ProblemStore
from shared.store.storage import Storage
from tests.helpers.facts import a_job, settings

_QUEUE = Step.SUBSCRIPTION_SETTINGS.queue
_NOBODY = "99999999-2222-4333-8444-555555555555"


@pytest.fixture
async def storage(account: str) -> AsyncIterator[Storage]:
    async with Storage(settings(LightkeeperStorage=account).storage, credential=None) as opened:  # type: ignore[arg-type]
        yield opened


@pytest.fixture
def problems(storage: Storage) -> ProblemStore:
    return ProblemStore(storage)


@pytest.fixture
def poison(storage: Storage, problems: ProblemStore) -> Poison:
    return Poison(storage, problems, lambda: datetime.now(UTC))


async def put(storage: Storage, text: str, *, raw: bool = False) -> None:
    """Put a message on the poison queue, as the Functions host moves it there: with its encoding."""
    queue = await storage.queue(f"{_QUEUE}-poison")
    await (storage.plain_queue(f"{_QUEUE}-poison") if raw else queue).send_message(text)


async def seen(poison: Poison) -> list[PoisonMessage]:
    return [message for queue in await poison.look() for message in queue.messages]


async def on_queue(storage: Storage) -> list[str]:
    queue = await storage.queue(_QUEUE)
    return [str(message.content) for message in await queue.peek_messages(max_messages=32)]


async def reasons(problems: ProblemStore) -> dict[str, Reason]:
    return {problem.where: problem.reason for problem in await problems.list(PROVIDER)}


async def test_queues_that_are_not_there_hold_nothing(poison: Poison, problems: ProblemStore) -> None:
    await poison.check()
    assert await seen(poison) == []
    assert await reasons(problems) == {}
    assert await poison.replay(_QUEUE, _NOBODY) is Taken.NOT_FOUND


async def test_a_job_that_failed_is_shown_with_what_it_asks_for(storage: Storage, poison: Poison) -> None:
    await put(storage, encode(a_job()))
    (message,) = await seen(poison)
    assert (message.queue, message.job, message.why) == (_QUEUE, a_job(), "failed 5 times")
    assert message.inserted_at is not None


async def test_a_message_that_was_set_aside_is_shown_with_its_reason(
    storage: Storage, poison: Poison
) -> None:
    await JobQueue(storage).set_aside(_QUEUE, b"{no json", "not a job message")
    (message,) = await seen(poison)
    assert (message.job, message.why) == (None, "not a job message")
    assert base64.b64decode(message.original) == b"{no json"


async def test_a_capture_file_that_nobody_could_handle_is_shown_and_handled_once_more(
    storage: Storage, poison: Poison, problems: ProblemStore
) -> None:
    path = "lightkeeper-eastus-1/contoso/0/2026/01/02/03/04/05.avro"
    await FileQueue(storage).send(path)
    queue = await storage.queue(FILE_QUEUE)
    sent = await queue.receive_message()
    assert sent is not None
    await storage.queue(f"{FILE_QUEUE}-poison")
    await storage.plain_queue(f"{FILE_QUEUE}-poison").send_message(sent.content)
    await queue.delete_message(sent)

    await poison.check()

    (message,) = await seen(poison)
    assert (message.queue, message.job, message.file) == (FILE_QUEUE, None, path)
    (problem,) = await problems.list(PROVIDER)
    assert (problem.reason, problem.where) == (Reason.JOB_FAILED, f"{FILE_QUEUE}-poison")
    assert path in problem.detail
    assert await poison.replay(FILE_QUEUE, message.id) is Taken.DONE
    again = await queue.receive_message()
    assert again is not None
    assert wanted_in(base64.b64decode(again.content)).path == path
    assert await problems.list(PROVIDER) == []


@pytest.mark.parametrize("text", ["no base64 at all", "", "null", "[" * 10_000, '{"reason": 1}', "\x7f"])
async def test_whatever_lies_there_is_shown(storage: Storage, poison: Poison, text: str) -> None:
    await put(storage, text)
    await put(storage, text or "-", raw=True)
    assert [message.job for message in await seen(poison)] == [None, None]


async def test_problems_follow_the_queues(storage: Storage, poison: Poison, problems: ProblemStore) -> None:
    await put(storage, encode(a_job()))
    await JobQueue(storage).set_aside(_QUEUE, b"{", "not a job message")
    await poison.check()
    assert await reasons(problems) == {
        f"{_QUEUE}-poison": Reason.JOB_FAILED,
        _QUEUE: Reason.MALFORMED_MESSAGE,
    }

    for message in await seen(poison):
        assert await poison.discard(_QUEUE, message.id) is Taken.DONE
    assert await reasons(problems) == {}


async def test_problems_end_when_messages_are_gone_by_other_hands(
    storage: Storage, poison: Poison, problems: ProblemStore
) -> None:
    await put(storage, encode(a_job()))
    await JobQueue(storage).set_aside(_QUEUE, b"{", "not a job message")
    await poison.check()
    assert len(await reasons(problems)) == 2

    await storage.plain_queue(f"{_QUEUE}-poison").clear_messages()
    await poison.check()

    assert await reasons(problems) == {}


async def test_a_problem_stays_while_another_message_of_its_kind_lies_there(
    storage: Storage, poison: Poison, problems: ProblemStore
) -> None:
    for reason in ("not a job message", "unknown version 2"):
        await JobQueue(storage).set_aside(_QUEUE, b"{", reason)
    await poison.check()
    first, second = await seen(poison)

    assert await poison.discard(_QUEUE, first.id) is Taken.DONE
    (problem,) = await problems.list(PROVIDER)
    assert (problem.reason, problem.detail) == (Reason.MALFORMED_MESSAGE, second.set_aside)

    assert await poison.discard(_QUEUE, second.id) is Taken.DONE
    assert await problems.list(PROVIDER) == []


async def test_what_was_set_aside_never_expires(storage: Storage) -> None:
    await JobQueue(storage).set_aside(_QUEUE, b"{", "not a job message")
    message = await (await storage.queue(f"{_QUEUE}-poison")).receive_message()
    assert message is not None
    assert message.expires_on is not None
    assert message.expires_on.year == 9999


async def test_a_message_goes_back_as_it_was(storage: Storage, poison: Poison) -> None:
    await put(storage, encode(a_job()))
    await JobQueue(storage).set_aside(_QUEUE, b'{"version":2}', "unknown version 2")
    for message in await seen(poison):
        assert await poison.replay(_QUEUE, message.id) is Taken.DONE
    texts = [base64.b64decode(text).decode() for text in await on_queue(storage)]
    assert sorted(texts) == sorted([encode(a_job()), '{"version":2}'])
    assert await seen(poison) == []


async def test_what_is_thrown_away_does_not_come_back(storage: Storage, poison: Poison) -> None:
    await put(storage, encode(a_job()))
    (message,) = await seen(poison)
    assert await poison.discard(_QUEUE, message.id) is Taken.DONE
    assert await poison.discard(_QUEUE, message.id) is Taken.NOT_FOUND
    assert (await seen(poison), await on_queue(storage)) == ([], [])


async def test_the_others_stay_and_can_be_seen_at_once(storage: Storage, poison: Poison) -> None:
    jobs = [a_job(target=f"target-{number}") for number in range(40)]
    for job in jobs:
        await put(storage, encode(job))
    (found,) = [queue for queue in await poison.look() if queue.count]
    assert (found.count, len(found.messages)) == (40, 32)

    assert await poison.replay(_QUEUE, _NOBODY) is Taken.NOT_FOUND
    assert await poison.replay(_QUEUE, found.messages[-1].id) is Taken.DONE

    (after,) = [queue for queue in await poison.look() if queue.count]
    assert (after.count, len(after.messages)) == (39, 32)
    (text,) = await on_queue(storage)
    assert json.loads(base64.b64decode(text))["target"] in {job.target for job in jobs}


async def test_of_those_who_replay_one_message_at_once_one_does(storage: Storage, poison: Poison) -> None:
    await put(storage, encode(a_job()))
    (message,) = await seen(poison)
    taken = await asyncio.gather(*(poison.replay(_QUEUE, message.id) for _ in range(6)))
    assert taken.count(Taken.DONE) == 1
    assert len(await on_queue(storage)) == 1
