"""Makes log entries and capture files, and takes condensed records apart again."""

import io
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import fastavro

from shared.capture.entries import CONDENSED, Entry, entry_of
from shared.capture.parts import Parts
from shared.capture.sift import Sifted

SCHEMA = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {
            "name": "SystemProperties",
            "type": {"type": "map", "values": ["long", "double", "string", "bytes"]},
        },
        {"name": "Properties", "type": {"type": "map", "values": ["long", "double", "string", "bytes"]}},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}
SIGNATURES = {
    "Start": "Started.",
    "Accept": "Accepted.Created",
    "Success": "Succeeded.",
    "Failure": "Failed.Conflict",
}


def record(
    status: str = "Start", second: int = 0, *, correlation: str = "c1", **fields: object
) -> dict[str, Any]:
    """An administrative entry in export shape; a field given as None is left out."""
    made = {
        "time": f"2024-05-01T10:00:{second:02}.1234567Z",
        "resourceId": "/SUBSCRIPTIONS/S1/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/V",
        "operationName": "MICROSOFT.KEYVAULT/VAULTS/WRITE",
        "category": "Administrative",
        "resultType": status,
        "resultSignature": SIGNATURES.get(status, f"{status}."),
        "correlationId": correlation,
        "properties": {"message": status, "second": second},
        **fields,
    }
    return {name: value for name, value in made.items() if value is not None}


def text(value: object) -> bytes:
    """Compact JSON text, as Azure writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


def entry(value: dict[str, Any] | bytes, number: int = 0) -> Entry:
    return entry_of(number, value if isinstance(value, bytes) else text(value))


def capture_file(bodies: Iterable[bytes | None], codec: str = "null", sync_interval: int = 16_000) -> bytes:
    """A file as Event Hubs Capture writes it."""
    events = [
        {
            "SequenceNumber": 100 + number,
            "Offset": str(number),
            "EnqueuedTimeUtc": "5/1/2024 10:00:00 AM",
            "SystemProperties": {"x-opt-enqueued-time": 1},
            "Properties": {},
            "Body": body,
        }
        for number, body in enumerate(bodies)
    ]
    stream = io.BytesIO()
    fastavro.writer(stream, SCHEMA, events, codec=codec, sync_interval=sync_interval)
    return stream.getvalue()


def envelope(*records: object) -> bytes:
    return text({"records": list(records)})


def in_one_part(records: Iterable[object]) -> Sifted:
    """What the only part of a capture file of these records holds."""
    parts = Parts("f")
    assert [*parts.feed(capture_file([envelope(*records)]), last=True)] == []
    return parts.rest()


def exact(line: bytes | str) -> str:
    """The JSON value in one canonical spelling in which no number is rounded."""
    return canonical(loads(line))


def loads(line: bytes | str) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads(
        line, parse_int=lambda digits: ["int", digits], parse_float=lambda digits: ["float", digits]
    )


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def members(line: bytes | str) -> Counter[str]:
    """Every entry that a condensed record holds, rebuilt as its format says, in canonical spelling."""
    base = loads(line)
    condensed = base.pop(CONDENSED)
    absent = condensed.get("absent", {})
    rebuilt = [
        {name: value for name, value in (base | fields).items() if name not in absent.get(status, [])}
        for status, fields in condensed["statuses"].items()
    ]
    return Counter(map(canonical, rebuilt + condensed.get("additional_records", [])))
