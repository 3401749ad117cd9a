"""What cannot be read is set aside: whole, with the reason, the place and a message."""

import base64
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

import msgspec


class AsideReason(StrEnum):
    """Why something was set aside; part of the format of the set-aside files."""

    NULL_BODY = "null_body"
    EMPTY_BODY = "empty_body"
    INVALID_JSON = "invalid_json"
    INVALID_UTF8 = "invalid_utf8"
    TOO_DEEP = "too_deep"
    TOO_MANY = "too_many"
    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_ENVELOPE_FIELD = "unknown_envelope_field"
    BROKEN_EVENT = "broken_event"
    BROKEN_BLOCK = "broken_block"
    BROKEN_FILE = "broken_file"
    UNKNOWN_HUB = "unknown_hub"
    HANDLING_FAILED = "handling_failed"


@dataclass(frozen=True, slots=True)
class Position:
    """Where something stood. Everything counts from 0 but lines, which count from 1.

    Attributes:
        file: blob name or path.
        event: number of the event in the capture file.
        sequence: sequence number that Event Hubs gave the event.
        record: number of the record in the event or document.
        line: line in the file or body.
        offset: byte in the file.
    """

    file: str
    event: int | None = None
    sequence: int | None = None
    record: int | None = None
    line: int | None = None
    offset: int | None = None

    def at(self, *, record: int | None = None, line: int | None = None) -> Self:
        """The same place, more precisely."""
        return replace(self, record=record, line=self.line if line is None else line)

    def __str__(self) -> str:
        parts = [
            f"{name} {value}"
            for name in ("offset", "event", "sequence", "line", "record")
            if (value := getattr(self, name)) is not None
        ]
        return ", ".join([self.file, *parts])


@dataclass(frozen=True, slots=True)
class Aside:
    """One thing that could not be read; it counts as one entry.

    Attributes:
        reason: why.
        message: what was seen, without the payload; for people.
        position: where it stood.
        raw: the bytes as they came.
        whole_file: whether `raw` is the whole file, which is then kept beside the list.
    """

    reason: AsideReason
    message: str
    position: Position
    raw: bytes
    whole_file: bool = False


def aside_line(aside: Aside, copy: str | None = None) -> bytes:
    """One line of a set-aside file, without the line break.

    `copy` names the blob that holds the bytes where a whole file was set aside.
    """
    position = {
        name: getattr(aside.position, name)
        for name in ("event", "sequence", "record", "line", "offset")
        if getattr(aside.position, name) is not None
    }
    line = {
        "source": aside.position.file,
        "position": position,
        "reason": aside.reason.value,
        "message": aside.message,
    }
    if copy is not None:
        line["copy"] = copy
    else:
        line["raw"] = base64.b64encode(aside.raw).decode("ascii")
    return msgspec.json.encode(line)
