"""The storage account has no time for a capture file: its event is to come again, and no worker waits."""

import pytest
from azure.core.exceptions import HttpResponseError

from tests.capture.app import START, App
from tests.helpers.busy_storage import StandIn


@pytest.mark.parametrize("status", [429, 503])
async def test_a_file_for_which_storage_has_no_time_fails_at_once(status: int) -> None:
    busy = StandIn(status, "20")
    async with busy.storage() as storage:
        app = App(storage)
        path = f"lightkeeper-eastus-1/{app.customer}/0/{START:%Y/%m/%d/%H/%M/%S}.avro"
        event = {"api": "PutBlob", "url": f"https://x/{path}"}
        with pytest.raises(HttpResponseError):
            await app.new_handler().handle(f"/blobServices/default/containers/capture/blobs/{path}", event)
    assert len(busy.asked) == 1
