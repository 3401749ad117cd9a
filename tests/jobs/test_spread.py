"""Spreading: even over the interval, the same target at the same moment, no two deployments in step."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.spread import MOST_DELAY, back_off, fraction, spread

_keys = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=10), max_size=3)
_counts = st.integers(1, 5000)


@given(_keys)
def test_a_fraction_lies_between_zero_and_one_and_depends_on_its_parts(parts: list[str]) -> None:
    assert 0 <= fraction(*parts) < 1
    assert fraction(*parts) == fraction(*parts)


def test_fractions_are_spread_evenly() -> None:
    tenths = [int(fraction("salt", str(number)) * 10) for number in range(10_000)]
    for tenth in range(10):
        assert 900 < tenths.count(tenth) < 1100


@given(_counts, st.floats(0, 86_400), _keys, st.data())
def test_every_job_has_a_slot_of_its_own(
    count: int, interval: float, key: list[str], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, count - 1))
    slot = interval / count
    assert slot * index <= spread(index, count, interval, *key) + 1e-6
    assert spread(index, count, interval, *key) <= slot * (index + 1) + 1e-6
    assert spread(index, count, interval, *key) <= interval + 1e-6


@given(_counts, st.floats(1, 86_400), _keys)
def test_the_same_target_comes_at_the_same_moment_of_every_cycle(
    count: int, interval: float, key: list[str]
) -> None:
    assert spread(0, count, interval, *key) == spread(0, count, interval, *key)


def test_jobs_come_in_their_order_with_no_gap_longer_than_two_slots() -> None:
    moments = [spread(index, 100, 300.0, "salt", str(index)) for index in range(100)]
    assert moments == sorted(moments)
    assert max(after - before for before, after in itertools.pairwise(moments)) <= 2 * 3.0


def test_two_deployments_do_not_march_in_step() -> None:
    one = [spread(index, 50, 300.0, "one", str(index)) for index in range(50)]
    other = [spread(index, 50, 300.0, "other", str(index)) for index in range(50)]
    assert sum(abs(left - right) > 0.1 for left, right in zip(one, other, strict=True)) > 40


def test_without_an_interval_everything_comes_at_once() -> None:
    assert {spread(index, 10, 0.0, str(index)) for index in range(10)} == {0.0}


def test_no_delay_is_longer_than_a_queue_allows() -> None:
    assert spread(9, 10, 30 * 86_400.0) == MOST_DELAY
    assert back_off(50, 86_400.0, 30 * 86_400.0) == MOST_DELAY
    assert MOST_DELAY < 7 * 86_400


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(0, 5), (1, 10), (2, 20), (7, 640), (8, 900), (10_000, 900)]
)
def test_back_off_doubles_up_to_its_bound(attempt: int, seconds: float) -> None:
    assert seconds <= back_off(attempt, 5.0, 900.0, "target") < seconds * 1.25


@given(st.integers(0, 100), _keys)
def test_back_off_has_jitter_that_depends_on_target_and_attempt_alone(attempt: int, key: list[str]) -> None:
    assert back_off(attempt, 5.0, 900.0, *key) == back_off(attempt, 5.0, 900.0, *key)


def test_two_targets_do_not_come_back_together() -> None:
    assert len({back_off(0, 5.0, 900.0, f"target-{number}") for number in range(100)}) == 100
