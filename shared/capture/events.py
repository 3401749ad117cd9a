"""Event Grid's news of a blob: which capture file it is about.

Events of Event Grid's own schema and CloudEvents carry the same subject and data
(learn.microsoft.com/azure/event-grid/event-schema-blob-storage).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.model.captures import CaptureFile

_SUBJECT = re.compile(r"/blobServices/default/containers/(?P<container>[^/]+)/blobs/(?P<path>.+)")
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,255}"
_PATH = re.compile(
    rf"(?P<namespace>{_NAME})/(?P<hub>{_NAME})/(?P<partition>\d{{1,5}})"
    r"/(?P<time>\d{4}/\d\d/\d\d/\d\d/\d\d/\d\d)\.avro",
    re.ASCII,
)


class NotACaptureFileError(ValueError):
    """The event is about something else; delivering it again would not help."""


def capture_file(subject: str, data: Mapping[str, Any], container: str) -> CaptureFile:
    """The capture file that an event announces.

    Args:
        subject: `/blobServices/default/containers/{container}/blobs/{path}`.
        data: the event's data.
        container: that Capture writes to.

    Raises:
        NotACaptureFileError: the blob is in another container, or its name is not one that Capture gives,
            or it has only been begun.
    """
    match = _SUBJECT.fullmatch(subject)
    if match is None or match["container"] != container:
        raise NotACaptureFileError("the event is about no blob in the capture container")
    if data.get("api") == "CreateFile":
        # With hierarchical namespaces a file is announced when it is begun, and again when it is complete.
        raise NotACaptureFileError("the blob has only been begun")
    return capture_file_at(match["path"], container)


def capture_file_at(path: str, container: str) -> CaptureFile:
    """The capture file of that blob name.

    Raises:
        NotACaptureFileError: Capture gives no such names.
    """
    match = _PATH.fullmatch(path)
    if match is None:
        raise NotACaptureFileError("the blob's name is not one that Capture gives")
    try:
        written_at = datetime.strptime(match["time"], "%Y/%m/%d/%H/%M/%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise NotACaptureFileError("the blob's name holds no time") from error
    return CaptureFile(container, path, match["namespace"], match["hub"], match["partition"], written_at)
