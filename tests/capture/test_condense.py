import json
from collections import Counter
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.capture.condense import condense
from shared.capture.entries import CONDENSED
from tests.capture.activity_log import canonical, entry, exact, loads, members, record, text


def condensed(*records: dict[str, Any]) -> dict[str, Any]:
    line = condense("uid", 1, [entry(one, number) for number, one in enumerate(records)]).line
    made: dict[str, Any] = json.loads(line)
    return made


def test_the_start_lends_its_fields_and_each_status_keeps_what_differs() -> None:
    start = record("Start", 0, properties={"requestbody": "..."})
    accept = record("Accept", 1, properties={"responseBody": "..."}, durationMs="12")
    success = record("Success", 2, jobId="Job:1")

    made = condensed(success, accept, start)

    facts = made.pop(CONDENSED)
    assert made == {name: start[name] for name in start if name not in ("properties", "resultSignature")}
    assert facts == {
        "num_correlated_records": 3,
        "statuses": {
            "start": {"resultSignature": "Started.", "properties": {"requestbody": "..."}},
            "accept": {
                "time": accept["time"],
                "resultType": "Accept",
                "resultSignature": "Accepted.Created",
                "properties": {"responseBody": "..."},
                "durationMs": "12",
            },
            "success": {
                "time": success["time"],
                "resultType": "Success",
                "resultSignature": "Succeeded.",
                "properties": success["properties"],
                "jobId": "Job:1",
            },
        },
        "attempts": 1,
        "outcome": "success",
        "uid": "uid",
        "revision": 1,
    }


def test_without_a_start_the_earliest_entry_is_the_base_and_the_record_says_so() -> None:
    made = condensed(record("Success", 9), record("Accept", 3))
    assert made["resultType"] == "Accept"
    assert made[CONDENSED]["missing"] == ["start"]
    assert made[CONDENSED]["attempts"] == 0


def test_several_attempts_are_one_record_with_the_outcome_of_the_last() -> None:
    attempts = [
        record(status, 2 * number + shift)
        for number in range(4)
        for shift, status in enumerate(("Start", "Failure"))
    ]
    made = condensed(*attempts, record("Start", 16), record("Success", 17))[CONDENSED]
    assert made["attempts"] == 5
    assert made["outcome"] == "success"
    assert len(made["additional_records"]) == 7
    assert [one["time"] for one in made["additional_records"]] == sorted(
        one["time"] for one in made["additional_records"]
    )


def test_without_a_terminal_status_the_outcome_is_unknown() -> None:
    assert condensed(record("Start"), record("Accept", 1))[CONDENSED]["outcome"] == "unknown"


def test_at_the_same_time_a_start_comes_before_everything_else() -> None:
    made = condensed(record("Success"), record("Active"), record("Accept"), record("Start"))[CONDENSED]
    assert list(made["statuses"]) == ["start", "accept", "active", "success"]


def test_fields_of_the_base_that_an_entry_lacks_are_named() -> None:
    made = condensed(record("Start", level="Information"), record("Success", 1, resourceId=None))[CONDENSED]
    assert made["absent"] == {"success": ["resourceId", "level"]}


def test_numbers_keep_every_digit_in_a_condensed_record() -> None:
    raw = text(record()).replace(
        b'"Start","resultS', b'"Start","big":1234567890123456789012,"one":1.0,"resultS'
    )
    line = condense("uid", 1, [entry(raw)]).line
    assert b'"big":1234567890123456789012,"one":1.0' in line


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.fixed_dictionaries(
    {
        "category": st.sampled_from(["Administrative", "Write"]),
        "correlationId": st.just("c"),
        "resultType": st.sampled_from(
            ["Start", "Started", "Accept", "Success", "Failure", "Active", "é.\ud800", ""]
        ),
    },
    optional={
        "time": st.sampled_from(["2024-05-01T10:00:00Z", "2024-05-01T10:00:01Z", "bad"]),
        "resultSignature": VALUES,
        "properties": VALUES,
        "level": VALUES,
        "identity": VALUES,
    },
).flatmap(
    lambda known: st.dictionaries(st.text(max_size=3), VALUES, max_size=2).map(lambda more: more | known)
)
GROUPS = st.lists(RECORDS, min_size=1, max_size=8)


@given(GROUPS)
def test_every_entry_can_be_rebuilt_exactly_from_the_record(records: list[dict[str, Any]]) -> None:
    line = condense("uid", 1, [entry(one) for one in records]).line
    assert members(line) == Counter(exact(text(one)) for one in records)
    assert b"\n" not in line


@given(GROUPS, st.randoms())
def test_the_record_does_not_depend_on_the_order_of_arrival(
    records: list[dict[str, Any]], random: Random
) -> None:
    entries = [entry(one) for one in records]
    shuffled = random.sample(entries, len(entries))
    assert condense("uid", 1, entries).line == condense("uid", 1, shuffled).line


@given(GROUPS)
def test_the_number_of_records_is_right(records: list[dict[str, Any]]) -> None:
    made = loads(condense("uid", 1, [entry(one) for one in records]).line)[CONDENSED]
    assert made["num_correlated_records"] == ["int", str(len(records))]
    assert canonical(made["revision"]) == canonical(["int", "1"])
