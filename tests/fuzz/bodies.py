"""Bodies of events from a grammar: JSON as everybody writes it, as nobody should, and almost JSON."""

from hypothesis import strategies as st

_SPACES = st.sampled_from([b""] * 40 + [b" ", b" ", b"\n", b"\r\n", b"\t"])
_SCALARS = st.sampled_from([
    b"null",
    b"true",
    b"0",
    b"-0",
    b"1.0",
    b"1e999",
    b"-1E-999",
    b"9" * 400,
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b'""',
    b'"a"',
    b'"\xc3\xa9"',
    b'"\\u00e9\\/\\n"',
    b'"\\ud83d\\ude00"',
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\xff"',
    b'"\xed\xa0\x80"',
    b'"{\\"a\\":1}"',
])  # fmt: skip
_NOT_JSON = st.sampled_from(
    [b"01", b"1.", b"nan", b"'a'", b'"\\x"', b'"\n"', b'"\x01"', b"", b"[", b"}", b"//"]
)
_NAMES = st.sampled_from([
    b'"a"',
    b'"a"',
    b'"\\u0061"',
    b'""',
    b'"\xc3\xa9"',
    b'"\\ud800"',
    b'"level"',
    b'"records"',
    b'"Type"',
    b'"eventCategory"',
    b'"azure_activity_administrative_condensed"',
])  # fmt: skip
_TEXTS = {
    b"time": [
        b'"2024-05-01T10:00:01.1234567Z"',
        b'"5/1/2024 10:00:01 PM"',
        b'"2024-05-01:10"',
        b"5",
        b"null",
    ],
    b"category": [
        b'"Administrative"',
        b'"Administrative"',
        b'"WRITE"',
        b'"Policy"',
        b'""',
        b'{"value":"Write"}',
    ],
    b"correlationId": [b'"C"', b'"c"', b'"\\u0063"', b'"\\udc00"', b'"\xc4\xb0"', b"7"],
    b"operationName": [b'"Write"', b'"WRITE"', b'"wr\\u0069te"', b"[]", b'""'],
    b"resourceId": [b'"/R/1"', b'"/r/1"', b"NaN"],
    b"resultType": [b'"Start"', b'"Started."', b'"Success"', b'"Failure"', b'"\\ud800."', b'""', b"0", b"-1"],
    b"resultSignature": [b'"Accepted.Created"', b'"Succeeded."', b"-Infinity"],
    b"properties": [
        b'{"eventCategory":"Administrative"}',
        b'{"a":1,"a":2}',
        b'{ "a" : NaN }',
        b'"text"',
        b"[]",
    ],
}
_KEYS = (b"category", b"correlationId", b"operationName", b"resourceId")


@st.composite
def _joined(draw: st.DrawFn, parts: list[bytes], opening: bytes, closing: bytes) -> bytes:
    """The parts between brackets, with odd spaces and now and then a comma too many or too few."""
    spaces = draw(st.lists(_SPACES, min_size=len(parts) + 1, max_size=len(parts) + 1))
    comma = draw(st.sampled_from([b","] * 40 + [b", ", b", ", b",,"]))
    inner = comma.join(space + part for space, part in zip(spaces, parts, strict=False))
    return opening + inner + spaces[-1] + closing


def _arrays(items: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(items, max_size=4).flatmap(lambda parts: _joined(parts, b"[", b"]"))


def _objects(pairs: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(pairs, max_size=8).flatmap(lambda parts: _joined(parts, b"{", b"}"))


def _pair(name: bytes, value: bytes) -> bytes:
    return name + b":" + value


_DEEP = st.integers(0, 1_200).map(lambda depth: b"[" * depth + b"]" * depth).filter(bool)
VALUES = st.recursive(
    _SCALARS,
    lambda inner: _arrays(inner) | _objects(st.builds(_pair, _NAMES, inner)),
    max_leaves=5,
)
_KNOWN = st.sampled_from([*_TEXTS]).flatmap(
    lambda name: st.builds(_pair, st.just(b'"' + name + b'"'), st.sampled_from(_TEXTS[name]) | VALUES)
)
_EXTRA = st.builds(_pair, _NAMES, VALUES)
_PAIRS = _KNOWN | _KNOWN | _KNOWN | _EXTRA


@st.composite
def _usual(draw: st.DrawFn, *, odd: bool = True) -> bytes:
    """A record of one of a few operations, as Azure writes it but for what it lacks, and odd values."""
    space = draw(st.sampled_from([b""] * 5 + [b" "]))
    pairs = []
    for name, texts in _TEXTS.items():
        text = draw(st.sampled_from(texts[:2] if name in _KEYS or not odd else texts))
        if name in _KEYS or draw(st.integers(0, 3)):
            pairs.append(b'"' + name + b'":' + space + text)
    if odd:
        pairs += draw(st.lists(_EXTRA, max_size=2))
    return b"{" + (b"," + space).join(pairs) + b"}"


@st.composite
def _plain(draw: st.DrawFn) -> bytes:
    """An envelope as Azure writes it, but that records may stand in it twice."""
    records = st.lists(_usual(odd=draw(st.integers(0, 4)) == 0), max_size=5)
    arrays = draw(st.lists(records, min_size=1, max_size=2))
    return b"{" + b",".join(b'"records":[' + b",".join(array) + b"]" for array in arrays) + b"}"


RECORDS = _objects(_PAIRS) | _objects(_PAIRS) | VALUES | _DEEP
_ARRAYS = _arrays(_usual()) | _arrays(_usual() | RECORDS)
_FIRST = st.sampled_from([b'"records"'] * 8 + [b'"record\\u0073"', b'"Records"', b'"more"'])
_ENVELOPES = st.lists(st.builds(_pair, _FIRST, _ARRAYS), min_size=1, max_size=2).flatmap(
    lambda pairs: _joined(pairs, b"{", b"}")
)
_DOCUMENTS = _plain() | _plain() | _ENVELOPES | _ENVELOPES | _ARRAYS | _usual() | RECORDS
_LINES = st.tuples(st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"]), st.lists(_DOCUMENTS, max_size=4)).map(
    lambda drawn: drawn[0].join(drawn[1])
)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """A body with a few bytes more, less or changed."""
    body = draw(_DOCUMENTS)
    at = draw(st.integers(0, len(body)))
    until = draw(st.integers(at, min(len(body), at + 9)))
    return body[:at] + draw(st.binary(max_size=3) | _NOT_JSON) + body[until:]


BODIES = st.builds(
    bytes.__add__, st.sampled_from([b""] * 9 + [b"\xef\xbb\xbf", b" "]), _DOCUMENTS | _LINES | _damaged()
)
