"""Faults: each is switched on by name, meets the calls it is meant for, and ends."""

import json

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from local.azure.faults import Fault, FaultKind
from tests.local.azure.azure_bench import Bench, setting

_LIST = "/subscriptions?api-version=2022-12-01"


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_AFTER])
async def test_a_dropped_connection_is_no_answer(bench: Bench, kind: FaultKind) -> None:
    rule = bench.make_hub()
    bench.azure.faults.switch_on("gone", Fault(kind, method="PUT", path="diagnosticSettings", calls=1))
    client = bench.monitor(bench.customer.delegated[0]).subscription_diagnostic_settings
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        await client.create_or_update("one", setting(rule))
    done = bench.world.setting(f"/subscriptions/{bench.customer.delegated[0]}", "one")
    assert (done is not None) == (kind is FaultKind.DROP_AFTER)
    await client.create_or_update("one", setting(rule))


@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.ERROR_500, 500), (FaultKind.ERROR_503, 503), (FaultKind.THROTTLED, 429)],
)
async def test_an_error_comes_as_often_as_it_should(bench: Bench, kind: FaultKind, status: int) -> None:
    bench.azure.faults.switch_on("ill", Fault(kind, path="/subscriptions", calls=2, skip=1))
    answers = [bench.call("GET", _LIST).status for _ in range(4)]
    assert answers == [200, status, status, 200]


async def test_a_fault_meets_only_its_subscription(bench: Bench) -> None:
    first, second = bench.customer.delegated[:2]
    bench.azure.faults.switch_on("ill", Fault(FaultKind.ERROR_500, subscription=first.upper()))
    path = "/subscriptions/{}?api-version=2022-12-01"
    assert bench.call("GET", path.format(first)).status == 500
    assert bench.call("GET", path.format(second)).status == 200
    bench.azure.faults.switch_off("ill")
    assert bench.call("GET", path.format(first)).status == 200


async def test_a_put_can_answer_ok_and_keep_nothing(bench: Bench) -> None:
    rule = bench.make_hub()
    bench.azure.faults.switch_on("forgetful", Fault(FaultKind.KEEP_NOTHING, method="PUT"))
    client = bench.monitor(bench.customer.delegated[0]).subscription_diagnostic_settings
    written = await client.create_or_update("one", setting(rule))
    assert written.name == "one"
    with pytest.raises(HttpResponseError):
        await client.get("one")


@pytest.mark.parametrize(("kind", "seen"), [(FaultKind.LOST_NEXT_LINK, 6), (FaultKind.EMPTY_PAGE, 3)])
async def test_a_page_can_be_torn(bench: Bench, kind: FaultKind, seen: int) -> None:
    bench.azure.faults.switch_on("torn", Fault(kind, path="/subscriptions", skip=1, calls=1))
    client = bench.subscriptions()
    assert len([one async for one in client.subscriptions.list()]) == seen
    assert len([one async for one in client.subscriptions.list()]) == 8


async def test_a_read_can_show_the_past(bench: Bench) -> None:
    rule = bench.make_hub()
    path = f"/subscriptions/{bench.customer.delegated[0]}/providers/microsoft.insights/diagnosticSettings"
    version = "?api-version=2021-05-01-preview"
    bench.call("PUT", f"{path}/one{version}", json.dumps(setting(rule)).encode())
    bench.azure.faults.switch_on("stale", Fault(FaultKind.STALE_READ, method="GET", calls=2))
    assert bench.call("GET", f"{path}/one{version}").status == 404
    assert bench.call("GET", path + version).json() == {"value": []}
    assert bench.call("GET", f"{path}/one{version}").status == 200
