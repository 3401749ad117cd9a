"""Counts: entries in equal entries out, over any runs."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.model.captures import CaptureFile, Counts

_number = st.integers(0, 10_000)


@st.composite
def _balanced(draw: st.DrawFn) -> Counts:
    condensed, passed_through, duplicates, set_aside, parked, unparked = (draw(_number) for _ in range(6))
    entries = condensed + passed_through + duplicates + set_aside + parked - unparked
    return Counts(
        entries=entries,
        condensed=condensed,
        passed_through=passed_through,
        duplicates=duplicates,
        set_aside=set_aside,
        parked=parked,
        unparked=unparked,
        unmatched=draw(st.integers(0, passed_through)),
        operations=draw(_number),
    )


_any_counts = st.builds(Counts, **{field.name: _number for field in fields(Counts)})


@given(st.lists(_balanced(), max_size=5))
def test_runs_that_lose_nothing_lose_nothing_together(runs: list[Counts]) -> None:
    for run in runs:
        run.check()
    sum(runs, Counts()).check()


@given(_balanced(), st.sampled_from(["entries", "condensed", "passed_through", "duplicates", "set_aside"]))
def test_one_entry_more_or_less_is_noticed(run: Counts, where: str) -> None:
    wrong = replace(run, **{where: getattr(run, where) + 1})
    with pytest.raises(AssertionError, match="accounted for"):
        wrong.check()


@given(_any_counts, _any_counts, _any_counts)
def test_runs_add_up_in_any_order(one: Counts, two: Counts, three: Counts) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + Counts() == one


@given(_any_counts, _any_counts)
def test_every_count_is_added(one: Counts, two: Counts) -> None:
    total = one + two
    for field in fields(Counts):
        assert getattr(total, field.name) == getattr(one, field.name) + getattr(two, field.name)


def test_what_is_parked_in_one_run_may_leave_in_another() -> None:
    arrived = Counts(entries=3, condensed=1, parked=2)
    flushed = Counts(condensed=1, passed_through=1, unparked=2, operations=1)
    arrived.check()
    flushed.check()
    assert (arrived + flushed).still_parked == 0


def test_a_capture_file_has_one_id_for_one_blob() -> None:
    one = CaptureFile("capture", "ns/hub/0/a.avro", "ns", "hub", "0", datetime(2026, 11, 21, tzinfo=UTC))
    assert one.id == replace(one, written_at=datetime(2026, 11, 22, tzinfo=UTC)).id
    assert one.id != replace(one, path="ns/hub/1/a.avro").id
    assert one.id != replace(one, container="other").id
