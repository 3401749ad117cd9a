"""Records with everything odd in them, bodies and files of them, for tests that draw them."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from shared.capture.entries import CONDENSED
from tests.capture.activity_log import record
from tests.fuzz.handmade import block, header

type Record = dict[str, Any]
type Spelling = Callable[[object], str]


def _plain(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _plain_utf8(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_SPELLINGS: list[Spelling] = [_plain, _plain, _plain_utf8, json.dumps]
SPACINGS: list[Spelling] = [
    *_SPELLINGS,
    lambda value: f"{{ {json.dumps(value)[1:-1]} }}",
    lambda value: json.dumps(value, separators=(",", ": ")),
    lambda value: json.dumps(value, separators=(" ,", ":")),
    lambda value: json.dumps(value, separators=(",\t", "\t:  ")),
    lambda value: f'{json.dumps(value)[:-1]}, "level": "again"}}',
]
"""Ways to spell a record in JSON."""

NAMES = st.sampled_from(
    ["a", "é", "level", "properties", "resultSignature", "tenantId", '"', "\n", "records", "x" * 300, "\x7f"]
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
        "2024-05-01T24:00:00Z",
        "2024-05-01T10:00:60Z",
        "2024-05-01T10:00:01Z",
        "2024-05-01T10:00:01.Z",
        "2024-05-01T10:00:01.123456789Z",
        "2024-05-01T10:00:01.1234567891Z",
        "2024-05-01T10:00:01.1234567z",
        "2024-02-29T10:00:01.1Z",
        "2023-02-29T10:00:01.1Z",
        "2100-02-29T10:00:01.1Z",
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000000001Z",
        "1969-12-31T23:59:59.9999999Z",
        "2200-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59.9999999Z",
        "2024-05-01T10:00:01.1234567+02:00",
        "5/1/2024 10:00:01.12345678 PM",
        "",
        None,
        5,
    ]
)
_ODD = st.sampled_from(["", "x\\y", "É", None, 5, {"value": "Administrative"}])
_STATUSES = st.sampled_from(
    [
        "Start",
        "STARTED",
        "start ",
        "Accepted",
        "Accept",
        "Success",
        "Succeeded",
        "Succeeded.",
        "Failed",
        "Cancelled",
        "Canceled",
        "Active",
    ]
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "time": TIMES,
        "resourceId": st.sampled_from(["/R/1", "/r/1", "İ", "\u212a", "k"]) | _ODD,
        "operationName": st.sampled_from(["Write", "WRITE"]) | _ODD,
        "category": st.sampled_from(["Administrative", "ACTION", "Policy", "administrativ\u0130"]) | _ODD,
        "resultType": _STATUSES | _ODD,
        "correlationId": st.sampled_from(["C", "c"]) | _ODD,
        CONDENSED: st.just({}),
        "resultSignature": VALUES,
        "properties": VALUES,
        "level": VALUES,
    },
).flatmap(lambda known: st.dictionaries(NAMES, VALUES, max_size=2).map(lambda more: more | known))
"""Records that may lack anything, and have anything."""

USUAL = st.builds(
    record,
    st.sampled_from(["Start", "Accept", "Success", "Failure", "Active"]),
    st.integers(0, 2),
    identity=st.sampled_from(["x" * 20, {"claims": {"a": "b"}}, {"claims": {"a": "é"}}]),
    jobId=st.sampled_from([None, None, "job"]),
    level=st.sampled_from(["Information", "Warning"]),
)
"""Records as Azure writes them, of one operation."""


@st.composite
def _of_operations(draw: st.DrawFn) -> Record:
    """A record as Azure writes it, of one of a few operations, now and then with one thing that is odd."""
    made = draw(
        st.builds(
            record,
            _STATUSES,
            st.integers(0, 3),
            correlation=st.sampled_from(["a", "b", "B"]),
            resourceId=st.sampled_from(["/r/1", "/R/1", "/r/2"]),
            level=st.sampled_from(["Information", "Warning", None]),
            jobId=st.sampled_from([None, None, "job"]),
            identity=st.sampled_from([None, {"claims": {"a": "é"}}, {"claims": {"a": "b"}}]),
            resultSignature=st.sampled_from(["Started.", None, "Accepted.Created"]),
            properties=st.sampled_from([None, {"a": 1}, {"a": [1, "x"]}, "text"]),
        )
    )
    kind = draw(st.integers(0, 11))
    if kind == 0:
        made |= draw(st.dictionaries(NAMES, VALUES, max_size=2))
    elif kind == 1:
        made |= draw(RECORDS)
    elif kind == 2:
        made = dict(draw(st.permutations(list(made.items()))))
    elif kind == 3:
        made["category"] = draw(st.sampled_from(["Policy", "write", "Alert"]))
    elif kind == 4:
        made["time"] = draw(TIMES)
    return made


@st.composite
def bodies(draw: st.DrawFn, records: st.SearchStrategy[Record] = RECORDS | USUAL) -> bytes:
    """Envelopes, some of them with something in their text that no writer of JSON would think of."""
    spell = draw(st.sampled_from(_SPELLINGS))
    body = spell({"records": draw(st.lists(records, max_size=4))}).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(body)))
        extra = draw(
            st.sampled_from(
                [
                    b" ",
                    b"\n",
                    b"\r",
                    b"\t",
                    b"\0",
                    b"\x7f",
                    b'"a":1,',
                    b',"a":2',
                    b"\\u0061",
                    b"\\ud800",
                    b"\xff",
                    b"\xed\xa0\x80",
                    b"\xef\xbb\xbf",
                    b"{}",
                    b",{}",
                    b"NaN",
                    b"1e999",
                    b"9" * 400,
                ]
            )
        )
        body = body[:at] + extra + body[at:]
    return body


@st.composite
def _operations(draw: st.DrawFn) -> bytes:
    """An envelope of records of few operations, each spelled in its own way."""
    spell = draw(st.sampled_from(SPACINGS))
    records = draw(st.lists(_of_operations(), min_size=1, max_size=8))
    texts = [(spell if draw(st.integers(0, 3)) else draw(st.sampled_from(SPACINGS)))(one) for one in records]
    comma = draw(st.sampled_from([",", ",", ", ", " ,\t"]))
    opening = draw(st.sampled_from(['{"records":[', '{"records": [', ' { "records":[ ']))
    closing = draw(st.sampled_from(["]}", "]}", " ] } "]))
    return (opening + comma.join(texts) + closing).encode("utf-8", "surrogatepass")


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Capture files of blocks of such bodies, and of events that have none."""
    codec = draw(st.sampled_from(["null", "null", "deflate"]))
    one = st.one_of(_operations(), _operations(), _operations(), bodies(), st.none())
    events = draw(st.lists(st.lists(one, min_size=1, max_size=3), max_size=5))
    return header(codec) + b"".join(block(some, codec) for some in events)
