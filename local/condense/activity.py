"""From the shape of `az monitor activity-log list` to the shape that Azure exports to Event Hubs.

The correspondence is Azure Monitor's own (learn.microsoft.com/azure/azure-monitor/platform/
activity-log-schema, "Mapping of properties"). What has no counterpart is kept under `properties`.
"""

from shared.capture.entries import fold
from shared.capture.rawjson import (
    Fields,
    UnreadableError,
    fields_of,
    name_text,
    object_text,
    outline_of,
    string_of,
)

_EXPORTED = {"start": "Start", "accept": "Accept", "success": "Success", "failure": "Failure"}
_SAME = ("correlationId", "level", "tenantId", "durationMs", "resultDescription")


def to_export_shape(text: bytes) -> bytes:
    """The record in export shape; one that is in it already, or in no shape we know, as it is.

    Raises:
        UnreadableError: the record is in the other shape, and a field stands in it twice.
    """
    try:
        outline = outline_of(text)
    except UnreadableError:
        return text
    if "eventTimestamp" not in outline or "time" in outline or not _value(outline.get("operationName")):
        return text
    return object_text(_exported(fields_of(text)))


def _exported(event: Fields) -> Fields:
    rest = dict(event)
    record: Fields = {"time": rest.pop("eventTimestamp")}
    for name in ("resourceId", "resourceUri"):
        if name in rest and "resourceId" not in record:
            record["resourceId"] = rest.pop(name)
    record["operationName"] = _take(rest, "operationName")
    if _value(rest.get("category")):
        record["category"] = _take(rest, "category")
    status, sub_status = _value(rest.get("status")), _value(rest.get("subStatus"))
    if status:
        record["resultType"] = name_text(_EXPORTED.get(fold(status), status))
        record["resultSignature"] = name_text(f"{status}.{sub_status or ''}")
        _take(rest, "status")
        if sub_status is not None:
            _take(rest, "subStatus")
    record.update({name: rest.pop(name) for name in _SAME if name in rest})
    request = rest.get("httpRequest", b"")
    if request.startswith(b"{") and "clientIpAddress" in (fields := fields_of(request)):
        record["callerIpAddress"] = fields.pop("clientIpAddress")
        rest["httpRequest"] = object_text(fields)
    identity: Fields = {name: rest.pop(name) for name in ("authorization", "claims") if name in rest}
    if identity:
        record["identity"] = object_text(identity)
    record["properties"] = object_text(_properties(rest))
    return record


def _properties(rest: Fields) -> Fields:
    """The event's own properties, and beside them what has no counterpart."""
    given = rest.pop("properties", b"null")
    properties = fields_of(given) if given.startswith(b"{") else {}
    if not given.startswith(b"{") and given != b"null":
        rest["properties"] = given
    for name, value in rest.items():
        free = name
        while free in properties:
            free = f"event.{free}"
        properties[free] = value
    return properties


def _take(rest: Fields, name: str) -> bytes:
    """The `value` of a field; the field stays behind only if it says anything beyond that."""
    fields = fields_of(rest[name])
    value = fields["value"]
    if any(other not in (value, b"null", b'""') for key, other in fields.items() if key != "value"):
        return value
    del rest[name]
    return value


def _value(text: bytes | None) -> str | None:
    """The string under `value` in an object; None if there is none."""
    if text is None or not text.startswith(b"{"):
        return None
    return string_of(outline_of(text).get("value", b""))
