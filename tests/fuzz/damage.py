"""Capture files that were whole, and what became of them."""

from dataclasses import dataclass
from functools import reduce

from hypothesis import strategies as st

from shared.capture.avro_header import long_at
from tests.capture.activity_log import envelope, record
from tests.fuzz.handmade import MARKER, block, header, number, sized


@dataclass(frozen=True)
class Damaged:
    """A file some of whose blocks were damaged.

    Attributes:
        data: the file.
        untouched: names of the entries in blocks that nobody touched, in their order.
    """

    data: bytes
    untouched: list[str]


@st.composite
def _blocks(draw: st.DrawFn, codec: str, name: int) -> tuple[bytes, list[str]]:
    names = [f"{name}-{event}" for event in range(draw(st.integers(1, 3)))]
    bodies = [envelope(record(correlation=one), record("Success", 1, correlation=one)) for one in names]
    return block(bodies, codec), names


_SIZES = st.sampled_from([-1, 1, len(MARKER), 400, 1_000]) | st.integers(1, 2_000)


def _replaced(content: bytes, at: int, length: int, by: bytes) -> bytes:
    return content[:at] + by + content[at + length :]


@st.composite
def _damages(draw: st.DrawFn, content: bytes) -> bytes:
    """The content of a block, without its marker, damaged."""
    count, size_at = long_at(content, 0)
    size, data_at = long_at(content, size_at)
    data = content[data_at:]
    at = draw(st.integers(0, len(content)))
    length = draw(st.integers(0, len(content) - at))
    lie = number(
        draw(st.integers(-3, 1_000) | st.sampled_from([-1 << 63, -1 << 31, 1 << 26, 1 << 31, 1 << 62]))
    )
    cut = draw(st.sampled_from([0, 1, 2, 3]))
    return draw(
        st.sampled_from(
            [
                _replaced(content, at, 1, bytes([draw(st.integers(0, 255))])),
                _replaced(content, at, length, b""),
                _replaced(content, at, 0, draw(st.binary(max_size=20))),
                _replaced(content, at, 0, content),
                content[:at],
                _replaced(content, 0, cut, lie),
                _replaced(content, 1, cut, lie),
                _replaced(content, at, 1, lie),
                number(count) + sized(data + draw(st.binary(min_size=1, max_size=20))),
                number(count) + sized(_replaced(data, at, length, b"")),
                number(count) + number(size + draw(_SIZES)) + data,
                draw(st.binary(max_size=40)),
            ]
        )
    )


@st.composite
def damaged_files(draw: st.DrawFn) -> Damaged:
    """Files of several blocks; any of them may be damaged, stand twice, or lack its marker."""
    codec = draw(st.sampled_from(["null", "deflate"]))
    data = header(codec)
    untouched: list[str] = []
    marked = True
    for place in range(draw(st.integers(1, 5))):
        content, names = draw(_blocks(codec, place))
        kind = draw(st.sampled_from(["whole", "whole", "twice", "damaged", "damaged", "unmarked"]))
        if kind == "damaged":
            data += draw(_damages(content.removesuffix(MARKER))) + MARKER
        elif kind == "unmarked":
            data += content[: -draw(st.integers(1, len(MARKER)))]
        else:
            times = 2 if kind == "twice" else 1
            data += times * content
            untouched += (times if marked else times - 1) * names
        marked = kind != "unmarked"
    return Damaged(data + draw(st.sampled_from([b"", b"", b"\x02", b"junk"])), untouched)


_HEADERS = [header(), header("deflate"), b"Obj\x01" + number(-2) + number(99), b"Obj\x01" + number(1 << 62)]
_PIECES = st.one_of(
    st.sampled_from(
        [*_HEADERS, MARKER, number(1), block([b"{}"]), block([None, b"{}"]), sized(b"avro.codec")]
    ),
    st.integers(-1 << 63, 1 << 63).map(number),
    st.binary(max_size=30),
)
SCRAPS = st.lists(_PIECES, max_size=8).map(lambda pieces: reduce(bytes.__add__, pieces, b""))
"""Files put together of parts of files."""
