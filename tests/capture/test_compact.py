"""The fast way to read a body and to make a record, against the exact way."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.capture.aside import Aside, Position
from shared.capture.compact import CompactReader
from shared.capture.condense import condense
from shared.capture.decode import numbered
from shared.capture.entries import CONDENSED, START, TERMINAL, Entry
from shared.capture.rawjson import array_text, name_text, object_text, slices_of
from shared.capture.records import records_in
from shared.capture.shapes import PER_ENTRY
from tests.capture.activity_log import envelope, record, text


def exactly(body: bytes) -> list[Entry | Aside]:
    return list(numbered(records_in(body, Position("f")), 7))


def facts(entry: Entry) -> tuple[object, ...]:
    return (
        entry.number,
        entry.raw,
        entry.category,
        entry.key,
        entry.status,
        entry.time,
        entry.moment,
        entry.administrative,
    )


def plain(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def plain_utf8(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


SPELLINGS: list[Callable[[object], str]] = [plain, plain, plain_utf8, json.dumps]
SPACINGS: list[Callable[[object], str]] = [
    *SPELLINGS,
    lambda value: f"{{ {json.dumps(value)[1:-1]} }}",
    lambda value: json.dumps(value, separators=(",", ": ")),
    lambda value: json.dumps(value, separators=(" ,", ":")),
    lambda value: f'{json.dumps(value)[:-1]}, "level": "again"}}',
]
NAMES = st.sampled_from(
    ["a", "é", "level", "properties", "resultSignature", "tenantId", '"', "\n", "records"]
)
VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=4) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
TIMES = st.sampled_from(
    [
        "2024-05-01T10:00:01.1234567Z",
        "2024-05-01T10:00:01.7654321Z",
        "2024-05-01T10:00:01,7654321Z",
        "2024-05-01T10:00:01..654321Z",
        "2024-05-01T10:00:01.765432 Z",
        "2024-05-01 10:00:01.7654321Z",
        "2024-05-01T9:00:01.12345678Z",
        "2024-05-01T9:00:01..2345678Z",
        "2024-05-01T25:00:01.7654321Z",
        "5/1/2024 10:00:01.12345678 PM",
        "",
        None,
        5,
    ]
)
ODD = st.sampled_from(["", "x\\y", "É", None, 5, {"value": "Administrative"}])
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "time": TIMES,
        "resourceId": st.sampled_from(["/R/1", "/r/1", "İ"]) | ODD,
        "operationName": st.sampled_from(["Write", "WRITE"]) | ODD,
        "category": st.sampled_from(["Administrative", "ACTION", "Policy"]) | ODD,
        "resultType": st.sampled_from(["Start", "Succeeded.", "Failure"]) | ODD,
        "correlationId": st.sampled_from(["C", "c"]) | ODD,
        CONDENSED: st.just({}),
        "resultSignature": VALUES,
        "properties": VALUES,
        "level": VALUES,
    },
).flatmap(lambda known: st.dictionaries(NAMES, VALUES, max_size=2).map(lambda more: more | known))
USUAL = st.builds(
    record,
    st.sampled_from(["Start", "Accept", "Success", "Failure", "Active"]),
    st.integers(0, 2),
    identity=st.sampled_from(["x" * 20, {"claims": {"a": "b"}}, {"claims": {"a": "é"}}]),
    jobId=st.sampled_from([None, None, "job"]),
    level=st.sampled_from(["Information", "Warning"]),
)


@st.composite
def bodies(draw: st.DrawFn, records: st.SearchStrategy[dict[str, Any]]) -> bytes:
    """Envelopes, some of them with something in their text that no writer of JSON would think of."""
    spell = draw(st.sampled_from(SPELLINGS))
    body = spell({"records": draw(st.lists(records, max_size=4))}).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(body)))
        extra = draw(st.sampled_from([b" ", b"\n", b'"a":1,', b',"a":2', b"\\u0061", b"\xff", b"{}", b",{}"]))
        body = body[:at] + extra + body[at:]
    return body


@given(bodies(RECORDS | USUAL))
@example(b'{"records":[]}')
@example(b'{"records":[{}]}')
@example(b'{"records":[],"records":[]}')
@example(b'{"records":[{"category":"Policy","category":"Policy"}]}')
@example(b'{"records":[{"category":"Policy","categor\\u0079":"Policy"}]}')
def test_what_the_fast_way_reads_is_what_the_exact_way_reads(body: bytes) -> None:
    fast = CompactReader().read(body, 7)
    if fast is not None:
        exact = exactly(body)
        assert all(isinstance(one, Entry) for one in exact)
        assert [facts(one) for one in fast] == [facts(one) for one in exact if isinstance(one, Entry)]


def slowly(entries: list[Entry]) -> bytes:
    """The line of a condensed record, made of dictionaries of fields."""
    ordered = sorted(entries, key=lambda entry: entry.order)
    base = next((entry for entry in ordered if entry.status == START), ordered[0])
    shared = {name: value for name, value in slices_of(base.raw).items() if name not in PER_ENTRY}
    firsts: dict[str, Entry] = {}
    additional = [entry.raw for entry in ordered if firsts.setdefault(entry.status, entry) is not entry]
    statuses, absent = {}, {}
    for status, entry in firsts.items():
        fields = slices_of(entry.raw)
        statuses[status] = object_text({n: value for n, value in fields.items() if shared.get(n) != value})
        if lacking := [name_text(name) for name in shared if name not in fields]:
            absent[status] = array_text(lacking)
    starts = sum(entry.status == START for entry in ordered)
    ends = [entry.status for entry in ordered if entry.status in TERMINAL]
    facts = {
        "num_correlated_records": str(len(ordered)).encode(),
        "statuses": object_text(statuses),
        **({"additional_records": array_text(additional)} if additional else {}),
        **({"absent": object_text(absent)} if absent else {}),
        "attempts": str(starts).encode(),
        "outcome": name_text(ends[-1] if ends else "unknown"),
        **({} if starts else {"missing": b'["start"]'}),
        "uid": b'"uid"',
        "revision": b"1",
    }
    return object_text({**shared, CONDENSED: object_text(facts)})


@given(st.lists(st.tuples(USUAL, st.sampled_from(SPACINGS)), min_size=1, max_size=6))
def test_the_record_is_byte_for_byte_what_the_slow_way_makes(
    spelled: list[tuple[dict[str, Any], Callable[[object], str]]],
) -> None:
    texts = [spell(one) for one, spell in spelled]
    entries = CompactReader().read(f'{{"records":[{",".join(texts)}]}}'.encode(), 7)
    assert entries is not None
    assert condense("uid", 1, entries).line == slowly(entries)


@given(st.lists(RECORDS, min_size=1, max_size=5), st.sampled_from(SPACINGS))
def test_so_is_the_record_of_anything(records: list[dict[str, Any]], spell: Callable[[object], str]) -> None:
    entries = [
        one
        for one in exactly(f'{{"records":[{",".join(map(spell, records))}]}}'.encode("utf-8", "replace"))
        if isinstance(one, Entry) and one.administrative
    ]
    if entries:
        assert condense("uid", 1, entries).line == slowly(entries)


def test_bodies_as_azure_monitor_writes_them_are_read_fast() -> None:
    reader = CompactReader()
    assert reader.read(envelope(record(), record("Success", 1), record(category="Policy")), 0) is not None
    assert reader.read(envelope(), 0) == []


@pytest.mark.parametrize(
    "body",
    [
        text(record()),
        text([record()]),
        b'{"records":[17]}',
        b'{"records":[{"a":NaN}]}',
        b'{"records":[{"a":"\xff"}]}',
        b'{"records":[{"a":1}],"records":[{"a":2}]}',
        b'{"records": [{"a":1}], "record\\u0073": [{"a":2}]}',
        b'{"records":[{"a":1}],"more":1}',
        b'{"records":[' + text(record()).replace(b",", b",\n") + b"]}",
    ],
)
def test_everything_else_is_left_to_the_exact_way(body: bytes) -> None:
    assert CompactReader().read(body, 0) is None


def test_what_is_remembered_stays_bounded() -> None:
    reader = CompactReader()
    for number in range(3_000):
        [entry] = reader.read(envelope(record(correlation=f"c{number}")), 0) or []
        assert entry.key.correlation == f"c{number}"
    assert len(reader._keys) <= 1_000
