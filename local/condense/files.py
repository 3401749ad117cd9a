"""A user's files, told apart by what is in them."""

from collections.abc import Iterator

from local.condense.activity import to_export_shape
from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.avro_header import MAGIC
from shared.capture.decode import entries_of_capture, numbered
from shared.capture.entries import Entry
from shared.capture.inflate import GZIP, InflateError, inflate
from shared.capture.records import Found, records_in

_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_MAX_INFLATED = 1 << 32


def entries_of_file(data: bytes, file: str) -> Iterator[Entry | Aside]:
    """Everything in a file: Capture Avro, JSON, or one JSON value a line; also compressed with gzip.

    What `az monitor activity-log list` prints is brought into the shape that Azure exports.
    """
    if data.startswith(_GZIP):
        try:
            data = _inflated(data)
        except InflateError as error:
            yield Aside(
                AsideReason.BROKEN_FILE, f"broken gzip: {error}", Position(file), data, whole_file=True
            )
            return
    if data.startswith(_UTF_16):
        # Windows PowerShell writes redirected output so. Half a surrogate pair is left to its record.
        try:
            data = data.decode("utf-16", "surrogatepass").encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            yield Aside(
                AsideReason.BROKEN_FILE, "the UTF-16 text is cut off", Position(file), data, whole_file=True
            )
            return
    if data.startswith(MAGIC[:3]):
        yield from entries_of_capture(data, file)
    elif data.strip():
        yield from numbered(_in_export_shape(records_in(data, Position(file))))


def _inflated(data: bytes) -> bytes:
    inflated = bytearray()
    while data:
        part, rest = inflate(data, GZIP, _MAX_INFLATED)
        inflated += part
        data = rest.lstrip(b"\0")
    return bytes(inflated)


def _in_export_shape(found: Iterator[Found | Aside]) -> Iterator[Found | Aside]:
    for item in found:
        if isinstance(item, Aside):
            yield item
        else:
            position, text = item
            yield position, to_export_shape(text)
