"""Restraint: a bucket that is nearly empty is left alone until it has refilled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.arm.throttle import RESERVE, Buckets

_KINDS = ("reads", "writes", "deletes")
_REFILL = {"reads": 25.0, "writes": 10.0, "deletes": 10.0}


class _Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_that_nothing_is_known_of_may_be_drawn_from() -> None:
    assert Buckets(_Clock()).seconds_until_allowed("sub", "reads") == 0.0


@pytest.mark.parametrize("kind", _KINDS)
def test_a_bucket_may_be_drawn_from_down_to_the_reserve(kind: str) -> None:
    buckets = Buckets(_Clock())
    buckets.learn("sub", kind, RESERVE[kind])
    assert buckets.seconds_until_allowed("sub", kind) == 0.0
    buckets.learn("sub", kind, RESERVE[kind] - 1)
    assert buckets.seconds_until_allowed("sub", kind) == pytest.approx(1 / _REFILL[kind])


@pytest.mark.parametrize("kind", _KINDS)
def test_an_empty_bucket_is_left_alone_until_the_reserve_is_back(kind: str) -> None:
    clock = _Clock()
    buckets = Buckets(clock)
    buckets.learn("sub", kind, 0)
    seconds = buckets.seconds_until_allowed("sub", kind)
    assert seconds == pytest.approx(RESERVE[kind] / _REFILL[kind])
    clock.now += seconds / 2
    assert buckets.seconds_until_allowed("sub", kind) == pytest.approx(seconds / 2)
    clock.now += seconds / 2
    assert buckets.seconds_until_allowed("sub", kind) == pytest.approx(0.0, abs=1e-9)


def test_every_subscription_and_kind_has_a_bucket_of_its_own() -> None:
    buckets = Buckets(_Clock())
    buckets.learn("sub", "writes", 0)
    assert buckets.seconds_until_allowed("sub", "writes") > 0
    assert buckets.seconds_until_allowed("sub", "reads") == 0
    assert buckets.seconds_until_allowed("other", "writes") == 0
    assert buckets.seconds_until_allowed("", "writes") == 0


def test_the_last_answer_counts() -> None:
    buckets = Buckets(_Clock())
    buckets.learn("sub", "reads", 0)
    buckets.learn("sub", "reads", 250)
    assert buckets.seconds_until_allowed("sub", "reads") == 0.0


@given(st.sampled_from(_KINDS), st.integers(0, 250), st.floats(0, 60))
def test_the_wait_is_never_longer_than_refilling_the_reserve(kind: str, left: int, passed: float) -> None:
    clock = _Clock()
    buckets = Buckets(clock)
    buckets.learn("sub", kind, left)
    clock.now += passed
    assert 0 <= buckets.seconds_until_allowed("sub", kind) <= RESERVE[kind] / _REFILL[kind]
