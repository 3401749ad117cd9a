"""What must hold of a history of the capture step, and how one in which it does not is told."""

from collections.abc import Iterator

import pytest

from tests.helpers.exact_reference import one_pass
from tests.helpers.exact_world import World, play


def assert_exact(seed: int, connection_string: str | None = None) -> World:
    """Play a seed and fail with its history if anything does not hold."""
    try:
        world = play(seed, connection_string)
    except Exception as error:
        error.add_note(f"seed {seed}; to play it again: pytest tests/exactly_once --seed {seed}")
        raise
    wrong = list(_wrong(world))
    if wrong:
        again = f"seed {seed}; to play it again: pytest tests/exactly_once --seed {seed}"
        pytest.fail("\n".join([*world.history, "", *wrong, "", again]), pytrace=False)
    return world


def _wrong(world: World) -> Iterator[str]:
    records, passed = one_pass([file.records for file in world.files])
    for uid in sorted(records.keys() | world.records.keys()):
        wanted, found = records.get(uid), world.records.get(uid)
        if wanted != found:
            yield f"operation {uid} should be {wanted} and is {found}"
    if passed != world.passed:
        yield f"did not pass through: {passed - world.passed}; should not have: {world.passed - passed}"
    condensed = sum(members.total() for members, _, _ in records.values())
    aside = sum(file.junk for file in world.files)
    arrived = sum(len(file.records) for file in world.files) + aside
    for name, number in {
        "entries": arrived,
        "condensed": condensed,
        "passed_through": passed.total(),
        "set_aside": aside,
        "duplicates": arrived - condensed - passed.total() - aside,
        "still_parked": 0,
    }.items():
        if getattr(world.counts, name) != number:
            yield f"{name} should be {number}: {world.counts}"
    if world.still_waiting:
        yield f"{world.still_waiting} entries wait for ever"
    if world.remains:
        yield f"what was kept long enough is still there: {world.remains}"
    if world.unfinished:
        yield f"not done in the ledger: {world.unfinished}"
