"""Which histories are played: `--seeds N` for so many, `--seed N` for a single one."""

from contextlib import suppress

import pytest

from tests.helpers.exact_world import is_busy

_SEEDS = 310
_ON_AZURITE = 40
_FILES = ("test_even_histories", "test_odd_histories")


def pytest_addoption(parser: pytest.Parser) -> None:
    # Another folder of histories has the same options; together they are added once.
    with suppress(ValueError):
        parser.addoption("--seed", type=int, default=None, help="play the history of this seed only")
        parser.addoption("--seeds", type=int, default=None, help="play the histories of so many seeds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Those on Azurite and those in memory are in files of their own, so that workers share them."""
    if "seed" not in metafunc.fixturenames:
        return
    # Without these options where this folder is only found while tests are collected.
    single = metafunc.config.getoption("--seed", default=None)
    count = metafunc.config.getoption("--seeds", default=None) or _SEEDS
    seeds = list(range(count)) if single is None else [single]
    module = metafunc.module.__name__.rpartition(".")[2]
    if module in _FILES:
        seeds = [seed for seed in seeds if seed % 2 == _FILES.index(module)]
    else:
        seeds = [seed for seed in seeds if single is not None or not is_busy(seed)][:_ON_AZURITE]
    metafunc.parametrize("seed", seeds)
