from datetime import UTC, datetime

import pytest

from shared.capture.events import NotACaptureFileError, capture_file

SUBJECT = "/blobServices/default/containers/capture/blobs/"
PATH = "lightkeeper-eastus-1/contoso/3/2024/05/01/10/07/30.avro"


def test_the_news_of_a_blob_names_its_capture_file() -> None:
    file = capture_file(SUBJECT + PATH, {"api": "PutBlob", "url": "https://x"}, "capture")
    assert (file.namespace, file.hub, file.partition) == ("lightkeeper-eastus-1", "contoso", "3")
    assert file.written_at == datetime(2024, 5, 1, 10, 7, 30, tzinfo=UTC)
    assert (file.container, file.path) == ("capture", PATH)


@pytest.mark.parametrize(
    ("subject", "data"),
    [
        ("/blobServices/default/containers/other/blobs/" + PATH, {}),
        (SUBJECT + "contoso/3/2024/05/01/10/07/30.avro", {}),
        (SUBJECT + PATH.replace(".avro", ".json"), {}),
        (SUBJECT + PATH.replace("/05/", "/13/"), {}),
        (SUBJECT + "../" + PATH, {}),
        ("eventhubs/contoso", {}),
        ("", {}),
        (SUBJECT + PATH, {"api": "CreateFile"}),
    ],
)
def test_news_of_anything_else_is_told_apart(subject: str, data: dict[str, str]) -> None:
    with pytest.raises(NotACaptureFileError):
        capture_file(subject, data, "capture")
