"""A file of whole operations comes out the same, byte for byte, at whatever call its worker died."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

import pytest

from shared.capture.parts import Parts
from shared.model.captures import Counts
from shared.store.blobs import ContainerName
from shared.store.drafts import LARGE
from shared.store.ledger import LEASE
from shared.store.operations import OperationStore
from shared.store.problems import ProblemStore
from shared.store.set_aside import SetAsideStore
from tests.capture.activity_log import capture_file, envelope, record
from tests.capture.app import WAIT, App
from tests.helpers.chaos_worker import Turnstile, Worker, WorkerDiedError
from tests.helpers.exact_memory import MemoryAccount
from tests.helpers.exact_world import Inline

_OPERATIONS, _PER_BODY = 60, 9
_PART_BYTES: Final = 25_000

type Record = dict[str, Any]


def records() -> Iterator[Record]:
    """Whole operations, of which some are repeated, open or share an ID with an entry that names none."""
    for number in range(_OPERATIONS):
        name = f"c{number}"
        yield record("Start", number % 50, correlation=name)
        if number % 5 == 0:
            yield record("Accept", number % 50 + 1, correlation=name)
        if number % 7 == 0:
            yield record("Start", number % 50, correlation=name)
        if number % 9 == 0:
            yield record("Accept", number % 50 + 3, correlation=name, operationName=None)
        if number % 11 == 0:
            yield record("Success", category="Policy", properties={"number": number})
        if number % 13:
            yield record("Success", number % 50 + 2, correlation=name)


def data() -> bytes:
    """A capture file of them, in an order in which operations overlap, and of something that is no JSON."""
    found = list(records())
    near = [found[at : at + 40] for at in range(0, len(found), 40)]
    for some in near:
        Random(len(found)).shuffle(some)  # noqa: S311 - an order, not a secret
    mixed = [one for some in near for one in some]
    bodies = [envelope(*mixed[at : at + _PER_BODY]) for at in range(0, len(mixed), _PER_BODY)]
    return capture_file([*bodies, b"junk"])


@dataclass(frozen=True)
class Outcome:
    """What became of the file: what was handed on and announced, counts, and what lies aside."""

    condensed: dict[str, bytes]
    messages: frozenset[str]
    counts: Counts
    totals: Counts
    aside: dict[str, bytes]
    listed: tuple[str, ...]


async def _outcome(dies_at: int, *, after: bool, large: int) -> tuple[Outcome, bool]:
    """What comes of it with a worker that dies, and another one after it; and whether the first one did.

    Args:
        dies_at: the number of the call at which the worker dies.
        after: whether that is when the call was done.
        large: bytes of operations that go to a blob at once, and not by way of rows.
    """
    asyncio.get_running_loop().set_default_executor(Inline(1))
    turnstile = Turnstile(Random(dies_at))  # noqa: S311 - an order, not a secret
    storage = MemoryAccount(turnstile)
    await storage.close()
    app = App(storage)
    app.customer, app.integration = "customer", str(UUID(int=1))
    earlier = [record("Accept", 59, correlation="c3"), record("Start", 58, correlation="c4")]
    await app.handle(await app.upload(capture_file([envelope(*earlier)])))
    file = await app.upload(data())
    results: list[Counts] = []

    async def work() -> None:
        operations = OperationStore(storage, app.blobs, WAIT, timedelta(days=1), large=large)
        results.append(await app.new_handler(operations, _PART_BYTES).handle_file(file))

    (end,) = await turnstile.run(Worker(dies_at, after), [work()])
    assert end is None or isinstance(end, WorkerDiedError)
    if end is not None:
        app.now += LEASE
        await work()
    container: Any = await storage.container(ContainerName.CONDENSED)
    queue: Any = await storage.queue("condensed-ready")
    totals = await app.captures.totals(app.integration)
    totals.check()
    aside: Any = await storage.container(ContainerName.SET_ASIDE)
    listed = await SetAsideStore(storage, ProblemStore(storage), lambda: app.now).list()
    outcome = Outcome(
        dict(container.blobs),
        frozenset(queue.messages),
        results[-1],
        totals,
        dict(aside.blobs),
        tuple(entry.run for entry in listed),
    )
    return outcome, end is not None


def outcome(dies_at: int = -1, *, after: bool = False, large: int = LARGE) -> tuple[Outcome, bool]:
    """See `_outcome`."""
    return asyncio.run(_outcome(dies_at, after=after, large=large))


def test_the_file_has_several_parts_and_whole_operations_in_most_of_them() -> None:
    parts = Parts("f", _PART_BYTES)
    sizes = [len(part.whole) for part in parts.feed(data(), last=True)] + [len(parts.rest().whole)]
    assert len(sizes) >= 4
    assert sum(sizes) > _OPERATIONS / 2


@pytest.mark.parametrize("large", [LARGE, 1])
def test_a_file_whose_worker_dies_at_any_call_comes_out_the_same_byte_for_byte(large: int) -> None:
    undisturbed, _ = outcome()
    assert undisturbed.counts.duplicates
    assert (len(undisturbed.aside), len(undisturbed.listed)) == (1, 1)
    for after in (False, True):
        died, call = True, -1
        while died:
            call += 1
            found, died = outcome(call, after=after, large=large)
            assert found == undisturbed, f"worker died at call {call}, {'after' if after else 'before'} it"
        assert call > 10
