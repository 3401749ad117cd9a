"""Which histories are played: `--seeds N` for so many, `--seed N` for a single one."""

import pytest

from tests.helpers.exact_world import is_busy
from tests.helpers.seeds import chosen_seeds, shared_out, single_seed

_SEEDS = 310
_ON_AZURITE = 60
_FILES = ("test_even_histories", "test_odd_histories")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Those on Azurite and those in memory are in files of their own, so that workers share them."""
    if "seed" not in metafunc.fixturenames:
        return
    seeds = chosen_seeds(metafunc, _SEEDS)
    shared = shared_out(metafunc, seeds, _FILES)
    if shared is None:
        single = single_seed(metafunc)
        shared = [seed for seed in seeds if single is not None or not is_busy(seed)][:_ON_AZURITE]
    metafunc.parametrize("seed", shared)
