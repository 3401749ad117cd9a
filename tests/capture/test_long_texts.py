"""Texts that a caller chooses may be as long as an event; what remembers texts holds on to none of those."""

import tracemalloc
from collections.abc import Callable

import pytest

from shared.capture.condense import condense
from shared.store.kept import mark_of
from shared.store.operations import bucket_of
from tests.capture.activity_log import entry, record

_LONG, _NUMBER = 1_000_000, 32


def _condensed(text: str) -> int:
    return len(condense("uid", 1, [entry(record("Start"), 0), entry(record(text), 1)]).line)


@pytest.mark.parametrize("remembers", [bucket_of, mark_of, _condensed])
def test_long_texts_of_callers_do_not_stay_in_memory(remembers: Callable[[str], object]) -> None:
    tracemalloc.start()
    try:
        for number in range(_NUMBER):
            remembers(f"{number:c>{_LONG}}")
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < _LONG * _NUMBER / 4
