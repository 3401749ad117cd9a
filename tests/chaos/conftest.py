"""Which seeds are played: `--seeds N` for so many, `--seed N` for a single one."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from azure.core.pipeline.transport import AioHttpTransport

from tests.helpers.chaos_worker import Account

_SEEDS = 200
_ON_AZURITE = (10, 28, 46)
"""Short histories."""
_FILES = ("test_even_seeds", "test_odd_seeds")


def pytest_addoption(parser: pytest.Parser) -> None:
    # Another folder of histories has the same options; together they are added once.
    with suppress(ValueError):
        parser.addoption("--seed", type=int, default=None, help="play the history of this seed only")
        parser.addoption("--seeds", type=int, default=None, help="play the histories of so many seeds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Two files, so that two workers share the seeds."""
    if "seed" not in metafunc.fixturenames:
        return
    # Without these options where this folder is only found while tests are collected.
    single = metafunc.config.getoption("--seed", default=None)
    count = metafunc.config.getoption("--seeds", default=None) or _SEEDS
    seeds = list(range(count)) if single is None else [single]
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in _FILES:
        seeds = [seed for seed in seeds if seed % 2 == _FILES.index(module)]
    elif single is None:
        seeds = list(_ON_AZURITE)
    metafunc.parametrize("seed", seeds)


@pytest.fixture(scope="session")
async def storage_account(accounts: Iterator[str]) -> AsyncIterator[Account]:
    """A storage account for one history after the other."""
    async with AioHttpTransport() as inner:
        yield Account(next(accounts), inner)
