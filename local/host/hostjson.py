"""host.json: the settings that the cloud's host reads and this one follows.

Names, defaults and limits: the Azure Functions host.json reference (version 2) and `QueuesOptions` of
the storage extension.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.functions import StartError

MAX_POLL_OVERRIDE = "LOCAL_HOST_MAX_POLL_MS"

_MAX_BATCH = 32
_SHORTEST_POLL_SECONDS = 0.1
# The default of the Flex Consumption and Premium plans.
_DEFAULT_FUNCTION_TIMEOUT_SECONDS = 30 * 60.0
_TIME_SPAN = re.compile(
    r"(?P<sign>-)?((?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})(:(?P<seconds>\d{1,2}(\.\d{1,7})?))?"
)


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`extensions.queues`. Times in seconds."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    max_polling_seconds: float = 60.0
    visibility_seconds: float = 0.0
    base64: bool = True


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What of host.json this host follows.

    Attributes:
        queues: of every queue trigger.
        route_prefix: stands before the route of every HTTP function; may be empty.
        function_timeout_seconds: after which an invocation is ended; None for never.
    """

    queues: QueueSettings = QueueSettings()
    route_prefix: str = "api"
    function_timeout_seconds: float | None = _DEFAULT_FUNCTION_TIMEOUT_SECONDS


def read_host_settings(app_dir: Path, environment: Mapping[str, str]) -> HostSettings:
    """Read host.json from the app's folder.

    Args:
        app_dir: the folder.
        environment: may shorten the longest pause between two polls of a queue with
            LOCAL_HOST_MAX_POLL_MS (milliseconds), since host.json is shared with the cloud.

    Raises:
        StartError: the file is missing or wrong; the message names the property.
    """
    path = app_dir / "host.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StartError(f"host.json is missing in {app_dir}") from error
    except (OSError, ValueError) as error:
        raise StartError(f"host.json cannot be read: {error}") from error
    if not isinstance(document, dict) or document.get("version") != "2.0":
        raise StartError('host.json: "version" must be "2.0"')
    extensions = _section(document, "extensions")
    timeout = document.get("functionTimeout")
    return HostSettings(
        queues=_queues(_section(extensions, "queues"), environment),
        route_prefix=str(_section(extensions, "http").get("routePrefix", "api")).strip("/"),
        function_timeout_seconds=(
            _DEFAULT_FUNCTION_TIMEOUT_SECONDS if timeout is None else _timeout_seconds(timeout)
        ),
    )


def _section(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name) or {}
    if not isinstance(value, dict):
        raise StartError(f'host.json: "{name}" must be an object')
    return value


def _queues(section: Mapping[str, Any], environment: Mapping[str, str]) -> QueueSettings:
    batch_size = _integer(section, "batchSize", default=16, low=1, high=_MAX_BATCH)
    polling = _seconds("maxPollingInterval", section.get("maxPollingInterval", "00:01:00"))
    if polling < _SHORTEST_POLL_SECONDS:
        raise StartError('host.json: "maxPollingInterval" must be at least 100 ms')
    if override := environment.get(MAX_POLL_OVERRIDE):
        if not override.isdecimal() or int(override) == 0:
            raise StartError(f"{MAX_POLL_OVERRIDE} must be a number of milliseconds")
        polling = int(override) / 1000
    encoding = str(section.get("messageEncoding", "base64")).lower()
    if encoding not in {"base64", "none"}:
        raise StartError('host.json: "messageEncoding" must be "base64" or "none"')
    return QueueSettings(
        batch_size=batch_size,
        new_batch_threshold=_integer(section, "newBatchThreshold", default=batch_size // 2, low=0),
        max_dequeue_count=_integer(section, "maxDequeueCount", default=5, low=1),
        max_polling_seconds=polling,
        visibility_seconds=_seconds("visibilityTimeout", section.get("visibilityTimeout", "00:00:00")),
        base64=encoding == "base64",
    )


def _integer(
    section: Mapping[str, Any], name: str, *, default: int, low: int, high: int | None = None
) -> int:
    value = section.get(name, default)
    if not isinstance(value, int) or value < low or (high is not None and value > high):
        limits = f"at least {low}" if high is None else f"{low} to {high}"
        raise StartError(f'host.json: "{name}" must be a whole number, {limits}')
    return value


def _timeout_seconds(value: object) -> float | None:
    # "-1" and "-00:00:01" are how host.json spells "never".
    if value == "-1":
        return None
    seconds = _seconds("functionTimeout", value)
    return seconds if seconds > 0 else None


def _seconds(name: str, value: object) -> float:
    match = _TIME_SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise StartError(f'host.json: "{name}" must be a time span such as "00:00:30"')
    seconds = (
        int(match["days"] or 0) * 86_400
        + int(match["hours"]) * 3_600
        + int(match["minutes"]) * 60
        + float(match["seconds"] or 0)
    )
    return -seconds if match["sign"] else seconds
