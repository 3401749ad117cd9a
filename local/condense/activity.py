"""From the shape of `az monitor activity-log list` to the shape that Azure exports to Event Hubs.

The correspondence is Azure Monitor's own (learn.microsoft.com/azure/azure-monitor/platform/
activity-log-schema, "Mapping of properties"). What has no counterpart is kept under `properties`; so is, of a
field that stands several times, every value but the last, which counts as with most readers.
"""

from collections.abc import Iterable

from shared.capture.entries import fold
from shared.capture.rawjson import (
    Fields,
    UnreadableError,
    all_of,
    last_of,
    name_text,
    object_text,
    outline_of,
    slices_of,
    string_of,
)

_EXPORTED = {"start": "Start", "accept": "Accept", "success": "Success", "failure": "Failure"}
_SAME = ("correlationId", "level", "tenantId", "durationMs", "resultDescription")
_SAYS_NOTHING = (b"null", b'""')


def to_export_shape(text: bytes) -> bytes:
    """The record in export shape; one that is in it already, in no shape we know, or unreadable, as it is."""
    try:
        outline = outline_of(text)
        if "eventTimestamp" not in outline or "time" in outline:
            return text
        if not _value(outline.get("operationName", b"")):
            return text
        # Whoever reads the record next says that it is no UTF-8; here its strings would lose what is broken.
        text.decode("utf-8")
        return object_text(_exported(slices_of(text)))
    except (UnreadableError, UnicodeDecodeError):
        return text


def _exported(event: Fields) -> Fields:
    rest: Fields = {name: last_of(event, name) for name in event}
    earlier = [(name, value) for name in event for value in all_of(event, name)[:-1]]
    record: Fields = {"time": rest.pop("eventTimestamp")}
    for name in ("resourceId", "resourceUri"):
        if name in rest and "resourceId" not in record:
            record["resourceId"] = rest.pop(name)
    record["operationName"] = _take(rest, "operationName")
    if _value(rest.get("category", b"")):
        record["category"] = _take(rest, "category")
    status, sub_status = _value(rest.get("status", b"")), _value(rest.get("subStatus", b""))
    if status:
        record["resultType"] = name_text(_EXPORTED.get(fold(status), status))
        record["resultSignature"] = name_text(f"{status}.{sub_status or ''}")
        _take(rest, "status")
        if sub_status is not None:
            _take(rest, "subStatus")
    record.update({name: rest.pop(name) for name in _SAME if name in rest})
    request = rest.get("httpRequest", b"")
    fields = slices_of(request) if request.startswith(b"{") else {}
    if len(addresses := all_of(fields, "clientIpAddress")) == 1:
        record["callerIpAddress"] = addresses[0]
        del fields["clientIpAddress"]
        rest["httpRequest"] = object_text(fields)
    identity: Fields = {name: rest.pop(name) for name in ("authorization", "claims") if name in rest}
    if identity:
        record["identity"] = object_text(identity)
    record["properties"] = object_text(_properties(rest, earlier))
    return record


def _properties(rest: Fields, earlier: Iterable[tuple[str, bytes]]) -> Fields:
    """The event's own properties, and beside them what has no counterpart."""
    given = rest.pop("properties", b"null")
    properties = slices_of(given) if given.startswith(b"{") else {}
    if not given.startswith(b"{") and given != b"null":
        rest["properties"] = given
    for name, value in [*rest.items(), *earlier]:
        free = name
        while free in properties:
            free = f"event.{free}"
        properties[free] = value
    return properties


def _take(rest: Fields, name: str) -> bytes:
    """The `value` of a field; the field stays behind only if it says anything beyond that."""
    fields = slices_of(rest[name])
    value = last_of(fields, "value")
    said = [each for field in fields for each in all_of(fields, field)]
    if all(each == value or each in _SAYS_NOTHING for each in said):
        del rest[name]
    return value


def _value(text: bytes) -> str | None:
    """The string under `value` in an object; None if there is none."""
    if not text.startswith(b"{"):
        return None
    return string_of(last_of(slices_of(text), "value"))
