"""Which seeds are played: `--seeds N` for so many, `--seed N` for a single one."""

from collections.abc import AsyncIterator, Iterator

import pytest
from azure.core.pipeline.transport import AioHttpTransport

from tests.helpers.chaos_worker import Account
from tests.helpers.seeds import chosen_seeds, shared_out, single_seed

_SEEDS = 200
_ON_AZURITE = (10, 28, 46)
"""Short histories."""
_FILES = ("test_even_seeds", "test_odd_seeds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Two files, so that two workers share the seeds."""
    if "seed" not in metafunc.fixturenames:
        return
    seeds = chosen_seeds(metafunc, _SEEDS)
    shared = shared_out(metafunc, seeds, _FILES)
    if shared is None:
        shared = list(_ON_AZURITE) if single_seed(metafunc) is None else seeds
    metafunc.parametrize("seed", shared)


@pytest.fixture(scope="session")
async def storage_account(accounts: Iterator[str]) -> AsyncIterator[Account]:
    """A storage account for one history after the other."""
    async with AioHttpTransport() as inner:
        yield Account(next(accounts), inner)
