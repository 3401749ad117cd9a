"""Whole streams, cut into files and shuffled, against one pass over everything."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.capture.batch import Batch
from shared.capture.condense import Record
from shared.capture.correlate import Plan, Run, correlate, replay
from shared.capture.entries import CONDENSED, Entry
from shared.capture.output import lines_of
from shared.capture.sift import sift
from shared.model.captures import Counts
from shared.model.operations import Known, Member, Operation, OperationKey, WaitingRoom
from tests.capture.activity_log import entry, exact, in_one_part, members, record, text

NOW = datetime(2024, 5, 1, 10, tzinfo=UTC)
WAIT = timedelta(minutes=15)


class Memory:
    """What is kept between runs, all of it known to every run."""

    def __init__(self) -> None:
        self.operations: dict[OperationKey, Operation] = {}
        self.rooms: dict[str, WaitingRoom] = {}
        self.counts = Counts()
        self.latest: dict[str, dict[str, Any]] = {}
        self.passed: Counter[str] = Counter()

    @property
    def known(self) -> Known:
        return Known(dict(self.operations), dict(self.rooms))

    def run(self, entries: Sequence[Entry], run: str, now: datetime = NOW) -> Plan:
        sifted = sift(entries)
        plan = correlate(sifted.administrative, self.known, Run(run, now, WAIT))
        (sifted.counts + plan.counts).check()
        self.keep(plan, Run(run, now, WAIT))
        self.counts += sifted.counts + plan.counts
        self.counts.check()
        for made in plan.records:
            self.latest[made.uid] = json.loads(made.line)
        self.passed.update(exact(one.raw) for one in plan.passed)
        return plan

    def keep(self, plan: Plan, run: Run) -> None:
        for whole in plan.whole:
            members = [Member(raw, run.id, number, run.now, run.id, 1) for number, raw in whole.entries()]
            self.operations[whole.key] = Operation(whole.key, tuple(members))
        self.operations |= {operation.key: operation for operation in plan.operations}
        self.rooms |= {room.correlation: room for room in plan.rooms}


def numbered(records: Iterable[dict[str, Any]]) -> list[Entry]:
    return [entry(one, number) for number, one in enumerate(records)]


def facts(plan: Plan, number: int = 0) -> dict[str, Any]:
    return facts_of(plan.records[number])


def facts_of(made: Record) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made.line)[CONDENSED]
    return found


def test_a_complete_operation_leaves_at_once() -> None:
    memory = Memory()
    plan = memory.run(numbered([record("Start"), record("Accept", 1), record("Success", 2)]), "f1")
    assert len(plan.records) == 1
    assert memory.counts == Counts(entries=3, condensed=3, operations=1)


@pytest.mark.parametrize("status", ["Success", "Failure", "Canceled"])
def test_start_and_any_terminal_status_make_an_operation_complete(status: str) -> None:
    assert (
        facts(Memory().run(numbered([record("Start"), record(status, 1)]), "f1"))["num_correlated_records"]
        == 2
    )


def test_the_halves_of_an_operation_meet_across_files() -> None:
    memory = Memory()
    assert memory.run(numbered([record("Start")]), "f1").records == ()
    plan = memory.run(numbered([record("Success", 1)]), "f2")
    assert facts(plan)["outcome"] == "success"
    assert memory.counts == Counts(entries=2, condensed=2, parked=1, unparked=1, operations=1)


def test_what_never_becomes_complete_leaves_after_the_wait() -> None:
    memory = Memory()
    memory.run(numbered([record("Start")]), "f1")
    assert memory.run([], "flush-1", NOW + WAIT - timedelta(seconds=1)).records == ()
    plan = memory.run([], "flush-2", NOW + WAIT)
    assert facts(plan)["outcome"] == "unknown"
    assert memory.counts == Counts(entries=1, condensed=1, parked=1, unparked=1, operations=1)


def test_an_entry_that_comes_late_makes_a_new_revision_of_the_same_record() -> None:
    memory = Memory()
    first = memory.run(numbered([record("Start", 1), record("Success", 2)]), "f1").records[0]
    late = memory.run(numbered([record("Start", 0)]), "f2").records[0]
    assert (late.uid, late.revision) == (first.uid, 2)
    assert json.loads(late.line)[CONDENSED]["attempts"] == 2
    assert memory.counts == Counts(entries=3, condensed=3, operations=2)


def test_after_the_wait_every_late_entry_makes_a_revision_at_once() -> None:
    memory = Memory()
    memory.run(numbered([record("Start")]), "f1")
    memory.run([], "flush", NOW + WAIT)
    late = memory.run(numbered([record("Accept", 1)]), "f2", NOW + WAIT)
    assert [made.revision for made in late.records] == [2]
    assert facts(late)["num_correlated_records"] == 2


def test_a_file_that_comes_again_gives_its_own_revision_though_later_ones_exist() -> None:
    memory = Memory()
    entries = numbered([record("Start"), record("Success", 1)])
    first = memory.run(entries, "f1")
    memory.run(numbered([record("Accept", 2)]), "f2")
    again = correlate(entries, memory.known, Run("f1", NOW, WAIT))
    assert (again.records, again.counts) == (first.records, first.counts)


def test_a_file_that_comes_again_counts_what_another_run_has_taken_along_as_parked() -> None:
    memory = Memory()
    entries = numbered([record("Start")])
    first = memory.run(entries, "f1")
    memory.run(numbered([record("Success", 2)]), "f2")
    again = correlate(entries, memory.known, Run("f1", NOW, WAIT))
    assert again.counts == first.counts == Counts(entries=1, parked=1)


def test_a_duplicate_is_counted_once_within_a_file_and_across_files() -> None:
    memory = Memory()
    memory.run(numbered([record("Start"), record("Start")]), "f1")
    plan = memory.run(numbered([record("Start")]), "f2")
    assert plan.operations == ()
    assert memory.counts == Counts(entries=3, parked=1, duplicates=2)


def test_operations_of_one_deployment_are_told_apart() -> None:
    entries = [record(status, operationName=name) for name in ("A", "B") for status in ("Start", "Success")]
    assert len(Memory().run(numbered(entries), "f1").records) == 2


def test_entries_with_nothing_but_a_correlation_id_join_its_only_operation() -> None:
    start = {
        "operationName": "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/SECURITYRULES/WRITE",
        "resultType": "Start",
        "correlationId": "30674a56-6343-4da9-a63b-f0589203046f",
        "properties": {"requestbody": "..."},
    }
    accept = {
        "resultType": "Accept",
        "correlationId": "30674a56-6343-4da9-a63b-f0589203046f",
        "properties": {"statusCode": "Created", "responseBody": "..."},
    }
    success = {
        "resultType": "Success",
        "correlationId": "30674a56-6343-4da9-a63b-f0589203046f",
        "jobId": "ProxyResourceLongOperationJob:12345",
        "properties": {},
    }

    memory = Memory()
    memory.run(numbered([start, accept, success]), "f1")
    plan = memory.run([], "flush", NOW + WAIT)

    made = json.loads(plan.records[0].line)
    condensed = made.pop(CONDENSED)
    assert made == {name: start[name] for name in ("operationName", "resultType", "correlationId")}
    assert condensed["num_correlated_records"] == 3
    assert condensed["statuses"]["start"] == {"properties": start["properties"]}
    assert condensed["statuses"]["accept"]["properties"] == accept["properties"]
    assert condensed["statuses"]["success"]["properties"] == success["properties"]
    assert condensed["statuses"]["success"]["jobId"] == success["jobId"]
    assert memory.counts == Counts(entries=3, condensed=3, parked=3, unparked=3, operations=1)


def partial(status: str = "Accept", second: int = 5, **fields: object) -> dict[str, Any]:
    return record(status, second, **{"operationName": None, "resourceId": None, **fields})


def test_an_incomplete_entry_that_comes_before_its_operation_waits_for_it() -> None:
    memory = Memory()
    assert memory.run(numbered([partial()]), "f1").counts == Counts(entries=1, parked=1)
    memory.run(numbered([record("Start"), record("Success", 9)]), "f2")
    plan = memory.run([], "flush", NOW + WAIT)
    assert (facts(plan)["num_correlated_records"], facts(plan)["revision"]) == (3, 2)
    assert memory.counts == Counts(entries=3, condensed=3, parked=1, unparked=1, operations=2)


def test_entries_that_look_like_an_operation_of_their_own_wait_for_one_that_has_a_resource() -> None:
    memory = Memory()
    alone = [record(status, second, resourceId=None) for status, second in (("Start", 1), ("Success", 2))]
    assert memory.run(numbered(alone), "f1").records == ()
    memory.run(numbered([record("Start"), record("Success", 9)]), "f2")
    plan = memory.run([], "flush", NOW + WAIT)
    assert [made["num_correlated_records"] for made in map(facts_of, plan.records)] == [4]


def test_an_incomplete_entry_joins_nothing_while_another_operation_may_come_that_fits() -> None:
    memory = Memory()
    start = record("Start", operationName="A")
    assert memory.run(numbered([start, partial()]), "f1").counts.parked == 2
    memory.run(numbered([record("Start", operationName="B")]), "f2")
    plan = memory.run([], "flush", NOW + WAIT)
    assert [one.raw for one in plan.passed] == []
    assert sorted(made["num_correlated_records"] for made in map(facts_of, plan.records)) == [1, 1]
    assert memory.passed == Counter([exact(text(partial()))])


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, False),
        ({"operationName": "A"}, False),
        ({"operationName": "B"}, True),
        ({"resourceId": "R1"}, False),
        ({"resourceId": "R3"}, True),
        ({"resourceId": "R9"}, None),
    ],
)
def test_an_incomplete_entry_joins_only_what_fits_alone(fields: dict[str, str], fits: bool | None) -> None:
    places = [("A", "R1"), ("A", "R2"), ("C", "R1"), ("B", "R3")]
    operations = [
        record(status, operationName=name, resourceId=resource)
        for name, resource in places
        for status in ("Start", "Success")
    ]
    memory = Memory()
    plan = memory.run(numbered([*operations, partial(**fields)]), "f1")
    at_once = {True: (8, 0, 1), False: (8, 1, 0), None: (8, 0, 1)}[fits]
    assert (plan.counts.condensed, plan.counts.unmatched, plan.counts.parked) == at_once
    memory.run([], "flush", NOW + WAIT)
    in_the_end = {True: (9, 0, 0), False: (8, 1, 0), None: (8, 1, 0)}[fits]
    totals = memory.counts
    assert (totals.condensed, totals.unmatched, totals.still_parked) == in_the_end


def test_an_incomplete_entry_without_an_operation_passes_through_after_the_wait() -> None:
    memory = Memory()
    memory.run(numbered([partial()]), "f1")
    plan = memory.run([], "flush", NOW + WAIT)
    assert [one.raw for one in plan.passed] == [text(partial())]
    assert memory.counts == Counts(entries=1, passed_through=1, unmatched=1, parked=1, unparked=1)
    assert memory.run(numbered([partial()]), "f2").counts == Counts(entries=1, duplicates=1)


def test_an_administrative_entry_without_a_correlation_id_passes_through() -> None:
    memory = Memory()
    memory.run(numbered([record(correlationId="")]), "f1")
    assert memory.counts == Counts(entries=1, passed_through=1, unmatched=1)


NAMES = ["OP1", "OP2", "op1"]
RECORDS = st.builds(
    record,
    st.sampled_from(["Start", "Accept", "Success", "Failure", "Active"]),
    st.integers(0, 3),
    correlation=st.sampled_from(["c1", "C1", "c2"]),
    operationName=st.sampled_from([*NAMES, None]),
    resourceId=st.sampled_from(["R1", "R2", None]),
)
COMPLETE = st.builds(
    record,
    st.sampled_from(["Start", "Accept", "Success", "Failure", "Active"]),
    st.integers(0, 3),
    correlation=st.sampled_from(["c1", "C1", "c2"]),
    operationName=st.sampled_from(NAMES),
    resourceId=st.sampled_from(["R1", "R2"]),
)


def without_revision(records: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {uid: made | {CONDENSED: {**made[CONDENSED], "revision": 0}} for uid, made in records.items()}


@given(st.lists(RECORDS, max_size=14), st.randoms(use_true_random=False))
def test_within_one_run_the_order_of_arrival_does_not_matter(
    records: list[dict[str, Any]], random: Random
) -> None:
    entries = numbered(records)
    one, other = Memory(), Memory()
    one.run(entries, "f1", NOW)
    other.run(random.sample(entries, len(entries)), "f1", NOW)
    one.run([], "flush", NOW + WAIT)
    other.run([], "flush", NOW + WAIT)
    assert one.latest == other.latest
    assert one.passed == other.passed


@given(st.lists(COMPLETE, max_size=20), st.integers(1, 5), st.randoms(use_true_random=False))
def test_many_files_in_any_order_end_as_one_pass_over_everything(
    records: list[dict[str, Any]], files: int, random: Random
) -> None:
    reference: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for one in records:
        key = tuple(one[name].lower() for name in ("correlationId", "operationName", "resourceId"))
        reference[key].add(exact(text(one)))
    entries = numbered(records)
    random.shuffle(entries)
    memory, whole = Memory(), Memory()

    whole.run(entries, "all")
    whole.run([], "flush", NOW + WAIT)
    for number in range(files):
        memory.run(entries[number::files], f"f{number}", NOW + number * WAIT / 3)
    memory.run([], "flush", NOW + 9 * WAIT)

    assert without_revision(memory.latest) == without_revision(whole.latest)
    found = [members(json.dumps(made)) for made in whole.latest.values()]
    assert sorted(sorted(one) for one in found) == sorted(sorted(one) for one in reference.values())
    assert memory.counts.still_parked == 0
    assert memory.counts.condensed + memory.counts.duplicates == len(records)


@given(st.lists(RECORDS, max_size=14), st.lists(RECORDS, max_size=6), st.booleans())
def test_deciding_again_for_the_same_file_changes_nothing(
    before: list[dict[str, Any]], records: list[dict[str, Any]], late: bool
) -> None:
    memory = Memory()
    memory.run(numbered(before), "f1")
    now = NOW + WAIT if late else NOW
    arrived = sift(numbered(records)).administrative
    run = Run("f2", now, WAIT)
    first = correlate(arrived, memory.known, run)
    memory.keep(first, run)
    again = correlate(arrived, memory.known, run)
    assert (again.records, again.passed, again.counts) == (first.records, first.passed, first.counts)
    assert ([*again.whole], again.operations, again.rooms) == ([], (), ())


def kept_of(memory: Memory) -> tuple[object, object]:
    """What is kept, however it is sorted."""
    operations = {key: set(one.members) for key, one in memory.operations.items()}
    return operations, {name: set(room.members) for name, room in memory.rooms.items()}


@given(st.lists(RECORDS, max_size=8), st.lists(RECORDS, max_size=20), st.booleans())
def test_operations_that_are_whole_in_a_file_leave_as_if_their_entries_had_come_one_by_one(
    before: list[dict[str, Any]], records: list[dict[str, Any]], late: bool
) -> None:
    one_by_one, at_once = Memory(), Memory()
    for memory in (one_by_one, at_once):
        memory.run(numbered(before), "f1")
    run = Run("f2", NOW + WAIT if late else NOW, WAIT)
    sifted, part = sift(numbered(records)), in_one_part(records)
    for again in range(3):
        wanted = correlate(sifted.administrative, one_by_one.known, run)
        found = correlate(part.administrative, at_once.known, run, part.whole)
        lines = b"".join(lines_of(found.passed, found.records, found.whole))
        assert lines == b"".join(lines_of(wanted.passed, wanted.records)), again
        assert found.counts == wanted.counts
        one_by_one.keep(wanted, run)
        at_once.keep(found, run)
        assert kept_of(at_once) == kept_of(one_by_one)


@given(st.lists(COMPLETE, max_size=30), st.integers(1, 5))
def test_operations_that_were_spread_are_brought_together_again_in_their_order(
    records: list[dict[str, Any]], buckets: int
) -> None:
    whole = in_one_part(records).whole
    spread = whole.spread(lambda correlation: len(correlation) * sum(correlation.encode()) % buckets)
    together = Batch.together(spread.values())
    for batch in (together, whole):
        assert b"".join(lines_of((), (), batch)) == bytes(whole.lines)
    assert sorted(one.key for one in together) == sorted(one.key for one in whole)
    assert (together.entries, together.arrived) == (whole.entries, whole.arrived)
    assert all({one.key for one in part} == part.keys() for part in spread.values())


@given(st.lists(RECORDS, max_size=14))
def test_a_flush_that_was_cut_off_is_replayed_exactly(records: list[dict[str, Any]]) -> None:
    memory = Memory()
    memory.run(numbered(records), "f1")
    run = Run("flush", NOW + WAIT, WAIT)
    first = correlate((), memory.known, run)
    memory.keep(first, run)
    again = replay(memory.known, run)
    assert (again.records, again.passed, again.counts) == (first.records, first.passed, first.counts)
