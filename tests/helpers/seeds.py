"""Which histories are played: `--seeds N` for so many, `--seed N` for a single one."""

import pytest


def single_seed(metafunc: pytest.Metafunc) -> int | None:
    """The only seed to be played, if one was named."""
    seed: int | None = metafunc.config.getoption("--seed")
    return seed


def chosen_seeds(metafunc: pytest.Metafunc, usual: int) -> list[int]:
    """The seeds to be played: the one that was named, or so many as asked for, or as many as usual."""
    single = single_seed(metafunc)
    return list(range(metafunc.config.getoption("--seeds") or usual)) if single is None else [single]


def shared_out(metafunc: pytest.Metafunc, seeds: list[int], files: tuple[str, str]) -> list[int] | None:
    """The seeds of one of two files, so that two workers share them; None for any other file."""
    module = metafunc.module.__name__.rpartition(".")[2]
    return [seed for seed in seeds if seed % 2 == files.index(module)] if module in files else None
