"""The storage account has no time for a request: the caller is told when to ask again."""

import json

import pytest
from azure.core.exceptions import HttpResponseError

from shared.model.answers import Answer
from shared.portal.busy import answered
from shared.portal.mapping import MappingApi
from shared.store.mappings import MappingStore
from tests.helpers.busy_storage import StandIn


async def asked(busy: StandIn) -> Answer:
    async with busy.storage() as storage:
        return await answered(MappingApi(MappingStore(storage)).versions())


@pytest.mark.parametrize(
    ("busy", "least", "most"),
    [
        (StandIn(503, "20"), 20, 25),
        (StandIn(429, "7"), 7, 9),
        (StandIn(500), 5, 7),
        (StandIn(broken=9), 5, 7),
    ],
)
async def test_who_asks_while_storage_has_no_time_is_told_when_to_ask_again(
    busy: StandIn, least: int, most: int
) -> None:
    answer = await asked(busy)
    assert (answer.status, answer.content_type) == (503, "application/problem+json")
    assert least <= int(answer.headers["Retry-After"]) <= most
    assert json.loads(answer.body)["detail"].endswith(f"in {answer.headers['Retry-After']} seconds.")


async def test_what_is_wrong_for_good_is_not_called_busy() -> None:
    with pytest.raises(HttpResponseError):
        await asked(StandIn(403))
