"""From the bytes of a file to entries, numbered in their order."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from shared.capture import avro
from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.compact import CompactReader
from shared.capture.entries import Entry, entry_of
from shared.capture.rawjson import UnreadableError
from shared.capture.records import Found, records_in


def entries_of_capture(data: bytes, file: str) -> Iterator[Entry | Aside]:
    """Everything in a file that Event Hubs Capture wrote. An empty file holds nothing, which is fine."""
    if not data:
        return
    reader = CompactReader()
    event = number = 0
    try:
        for value in avro.values_in(data):
            if isinstance(value, avro.BrokenPart):
                where = Position(file, offset=value.offset)
                yield Aside(AsideReason.BROKEN_BLOCK, value.message, where, value.raw)
                number += 1
                continue
            body = value.get("Body") if isinstance(value, dict) else None
            entries: Sequence[Entry | Aside] | None = None
            if isinstance(body, bytes):
                entries = reader.read(body, number)
            if entries is None:
                entries = list(numbered(_records_of_event(value, file, event), number))
            yield from entries
            number += len(entries)
            event += 1
    except avro.BrokenAvroError as error:
        yield Aside(AsideReason.BROKEN_FILE, str(error), Position(file), data, whole_file=True)


def numbered(found: Iterable[Found | Aside], start: int = 0) -> Iterator[Entry | Aside]:
    """Read the records. The number of an entry is its place, things set aside included."""
    for number, item in enumerate(found, start):
        if isinstance(item, Aside):
            yield item
            continue
        position, text = item
        try:
            yield entry_of(number, text)
        except UnreadableError as error:
            yield Aside(error.reason, str(error), position, text)


def _records_of_event(event: Any, file: str, number: int) -> Iterator[Found | Aside]:  # noqa: ANN401 - decoded Avro
    """The records in one event of the schema `Microsoft.ServiceBus.Messaging.EventData`.

    learn.microsoft.com/azure/event-hubs/explore-captured-avro-files
    """
    if not isinstance(event, dict) or "Body" not in event:
        position = Position(file, event=number)
        yield Aside(AsideReason.BROKEN_EVENT, "the event has no field Body", position, repr(event).encode())
        return
    sequence = event.get("SequenceNumber")
    position = Position(file, event=number, sequence=sequence if isinstance(sequence, int) else None)
    body = event["Body"]
    if isinstance(body, str):
        body = body.encode("utf-8", "surrogateescape")
    if body is None:
        yield Aside(AsideReason.NULL_BODY, "the event has no body", position, b"")
    elif isinstance(body, bytes):
        yield from records_in(body, position)
    else:
        yield Aside(AsideReason.BROKEN_EVENT, "the body is no text", position, repr(body).encode())
