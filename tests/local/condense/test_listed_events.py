"""`python -m local condense` on what `az monitor activity-log list` prints, spelled in odd ways."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.condense.activity import to_export_shape
from local.condense.files import entries_of_file
from shared.capture.aside import Aside, AsideReason
from shared.capture.entries import Entry

STARTED = b"""{"eventTimestamp":"2024-05-01T10:00:00.1234567Z",
"operationName":{"value":"Microsoft.KeyVault/vaults/write","localizedValue":"Write vault"},
"category":{"value":"Administrative","localizedValue":"Administrative"},
"status":{"value":"Started","localizedValue":"Started"},"correlationId":"c1",
"httpRequest":{"clientIpAddress":"203.0.113.1","method":"PUT"},"properties":{"message":"m"}}"""


def with_fields(fields: bytes) -> bytes:
    return STARTED[:-1] + b"," + fields + b"}"


def pairs(text: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The JSON value, objects as lists of pairs, so that a field that stands twice is seen twice."""
    return json.loads(text, object_pairs_hook=lambda found: [list(pair) for pair in found])


def exported(text: bytes) -> dict[str, Any]:
    made = pairs(to_export_shape(text))
    assert len(made) == len(dict(made))
    return dict(made)


def beside(made: dict[str, Any]) -> list[list[Any]]:
    """What stands under `properties`, but for what stands there of every event."""
    return [pair for pair in made["properties"] if pair[0] not in ("operationName", "httpRequest")]


def only(data: bytes) -> Entry | Aside:
    (found,) = entries_of_file(data, "file")
    return found


def test_of_a_repeated_field_the_last_value_counts_and_the_others_are_kept() -> None:
    made = exported(with_fields(b'"correlationId":"c2","correlationId":"c3"'))
    assert made["correlationId"] == "c3"
    assert beside(made) == [["message", "m"], ["correlationId", "c1"], ["event.correlationId", "c2"]]


def test_a_repeated_field_without_counterpart_keeps_every_value() -> None:
    made = exported(with_fields(b'"x":1,"x":1,"x":2'))
    assert beside(made) == [["message", "m"], ["x", 2], ["event.x", 1], ["event.event.x", 1]]


def test_a_repeated_operation_name_is_the_last_one() -> None:
    name = b'"operationName":{"value":"Microsoft.KeyVault/vaults/delete"}'
    made = exported(with_fields(name))
    assert made["operationName"] == "Microsoft.KeyVault/vaults/delete"
    earlier = dict(made["properties"])["operationName"]
    assert ["value", "Microsoft.KeyVault/vaults/write"] in earlier


@pytest.mark.parametrize(
    ("field", "name", "kept"),
    [
        ('{"value":"Policy","value":"Write"}', "category", [["value", "Policy"], ["value", "Write"]]),
        ('{"value":"a","value":"b"}', "subStatus", [["value", "a"], ["value", "b"]]),
        (
            '{"clientIpAddress":"::1","clientIpAddress":"::2"}',
            "httpRequest",
            [["clientIpAddress", "::1"], ["clientIpAddress", "::2"]],
        ),
        (
            '{"clientIpAddress":"::1","method":"PUT","method":"GET"}',
            "httpRequest",
            [["method", "PUT"], ["method", "GET"]],
        ),
    ],
)
def test_what_repeats_inside_a_field_is_kept(field: str, name: str, kept: list[list[str]]) -> None:
    made = exported(with_fields(f'"{name}":{field}'.encode()))
    assert dict(made["properties"])[name] == kept


def test_what_repeats_in_the_properties_stays_there() -> None:
    made = exported(with_fields(b'"properties":{"a":1,"a":2}'))
    assert beside(made) == [["a", 1], ["a", 2], ["properties", [["message", "m"]]]]


def test_an_event_with_repeated_fields_is_an_entry_like_any_other() -> None:
    found = only(with_fields(b'"x":1,"x":2'))
    assert isinstance(found, Entry)
    assert (found.administrative, found.status, found.key.correlation) == (True, "start", "c1")


@pytest.mark.parametrize("place", [b"Started", b"Write vault", b"PUT", b"203.0.113.1", b'"m"'])
def test_invalid_utf8_is_set_aside_as_it_came(place: bytes) -> None:
    broken = STARTED.replace(place, place[:-1] + b"\xff" + place[-1:]).replace(b"\n", b"")
    found = only(broken)
    assert isinstance(found, Aside)
    assert (found.reason, found.raw) == (AsideReason.INVALID_UTF8, broken)


def test_half_a_surrogate_pair_in_utf16_is_set_aside_and_the_rest_is_read() -> None:
    listed = f"[{STARTED.decode()}, {STARTED.decode().replace('PUT', 'P\ud800T')}]"
    read, aside = entries_of_file(listed.encode("utf-16", "surrogatepass"), "file")
    assert isinstance(read, Entry)
    assert isinstance(aside, Aside)
    assert aside.reason is AsideReason.INVALID_UTF8


def test_utf16_that_is_cut_off_is_set_aside_whole() -> None:
    data = STARTED.decode().encode("utf-16")[:-1]
    found = only(data)
    assert isinstance(found, Aside)
    assert (found.reason, found.raw, found.whole_file) == (AsideReason.BROKEN_FILE, data, True)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"5", b'{"eventTimestamp":1}', STARTED[:-1], with_fields(b'"time":"t"')]
)
def test_what_is_no_such_event_stays_as_it_is(text: bytes) -> None:
    assert to_export_shape(text) == text


def texts(value: object) -> Iterator[str]:
    """Everything that an event says, whatever its place."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif value is not None:
        yield json.dumps(value).strip('"')


def test_nothing_that_a_real_event_says_is_lost(samples: Path) -> None:
    events = [
        event
        for path in samples.glob("activity/rest/*.json")
        for event in json.loads(path.read_text("utf-8"))
    ]
    assert events
    for event in events:
        record = json.dumps(json.loads(to_export_shape(json.dumps(event).encode())))
        assert [each for each in texts(event) if each not in record] == []
