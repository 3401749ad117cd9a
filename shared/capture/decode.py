"""From the bytes of a file to entries, numbered in their order."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.capture import avro
from shared.capture.aside import Aside, AsideReason, Position
from shared.capture.avro_header import BrokenAvroError
from shared.capture.entries import Entry, entry_of
from shared.capture.rawjson import UnreadableError
from shared.capture.records import Found, records_in


@dataclass(slots=True)
class Progress:
    """How much of a file was read.

    Attributes:
        entries: what came out of it, things set aside included.
        events: events that could be decoded.
    """

    entries: int = 0
    events: int = 0


class CaptureReader:
    """Reads one file that Event Hubs Capture wrote and that comes in pieces.

    Args:
        file: its name.
        lane: takes blocks before they are read here, if there is one.

    Attributes:
        progress: how far it is; a lane counts here, too.
    """

    def __init__(self, file: str, lane: avro.Lane | None = None) -> None:
        self.progress = Progress()
        self._file = file
        self._avro = avro.AvroReader(lane)
        self._empty = True
        self._broken = False

    def feed(self, data: bytes, *, last: bool = False) -> Iterator[Sequence[Entry | Aside]]:
        """What is in each event that is complete by now. An empty file holds nothing, which is fine.

        Args:
            data: what comes next in the file.
            last: whether nothing comes after it.
        """
        self._empty = self._empty and not data
        if self._empty or self._broken:
            return
        try:
            for value in self._avro.feed(data, last=last):
                if isinstance(value, avro.Taken):
                    yield value.found
                    continue
                found = self._in_event(value)
                self.progress.entries += len(found)
                yield found
        except BrokenAvroError as error:
            self._broken = True
            yield [Aside(AsideReason.BROKEN_FILE, str(error), Position(self._file), b"", whole_file=True)]

    def _in_event(self, value: Any) -> Sequence[Entry | Aside]:  # noqa: ANN401 - decoded Avro
        if isinstance(value, avro.BrokenPart):
            where = Position(self._file, offset=value.offset)
            return [Aside(AsideReason.BROKEN_BLOCK, value.message, where, value.raw)]
        event = self.progress.events
        self.progress.events += 1
        return [*numbered(records_of_event(value, self._file, event), self.progress.entries)]


def entries_of_capture(data: bytes, file: str) -> Iterator[Entry | Aside]:
    """Everything in a file that Event Hubs Capture wrote."""
    for found in CaptureReader(file).feed(data, last=True):
        for item in found:
            broken = isinstance(item, Aside) and item.whole_file
            yield replace(item, raw=data) if broken else item


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


def records_of_event(event: Any, file: str, number: int) -> Iterator[Found | Aside]:  # noqa: ANN401 - decoded Avro
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
