"""How a run that went wrong is told, so that it can be played again."""

import pytest

from tests.helpers.chaos import Run, run
from tests.helpers.chaos_worker import Account


async def assert_good(seed: int, account: Account | None = None) -> Run:
    """Play a seed and fail with its history if anything does not hold."""
    try:
        played = await run(seed, account)
    except Exception as error:
        error.add_note(replay(seed))
        raise
    if played.wrong:
        lines = [*played.history, "", *played.wrong, "", replay(seed)]
        pytest.fail("\n".join(lines), pytrace=False)
    return played


def replay(seed: int) -> str:
    """How to play a seed again."""
    return f"seed {seed}; to play it again: pytest tests/chaos --seed {seed}"
