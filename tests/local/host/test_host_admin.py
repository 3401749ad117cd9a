import json
import uuid
from collections.abc import Iterator

import pytest

from local.azurite import Azurite
from tests.local.host.host_harness import KEYS, RunningHost, environment, write_app

APP = """
@app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%")
async def yearly(timer: func.TimerRequest) -> None:
    report(ran="yearly", past_due=timer.past_due)


@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="LightkeeperStorage")
async def worker(message: func.QueueMessage) -> None:
    report(ran="worker", body=message.get_json(), count=message.dequeue_count)


@app.event_grid_trigger(arg_name="event")
async def seen(event: func.EventGridEvent) -> None:
    report(ran="seen", id=event.id)


@app.route(route="hello/{name}")
async def hello(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("hello")
"""


@pytest.fixture(scope="module")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder = write_app(tmp_path_factory.mktemp("admin"), APP, {"extensions": {"http": {"routePrefix": "v1"}}})
    settings = environment(azurite, folder, {"SCHEDULE": "0 0 0 1 1 *", "QUEUE": f"admin-{uuid.uuid4().hex}"})
    with RunningHost(folder, settings) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/functions"),
        ("GET", "/admin/functions/hello"),
        ("GET", "/admin/functions/hello/status"),
        ("POST", "/admin/functions/yearly"),
        ("GET", "/admin/host/status"),
    ],
)
async def test_only_the_master_key_opens_the_admin_paths(host: RunningHost, method: str, path: str) -> None:
    for key in (None, "wrong", KEYS["function"], KEYS["event_grid"]):
        assert (await host.call(method, path, key, data=b"{}")).status == 401
    assert (await host.call(method, path, KEYS["master"], data=b"{}")).status in {200, 202}


async def test_the_ping_needs_no_key(host: RunningHost) -> None:
    assert (await host.call("GET", "/admin/host/ping")).status == 200


async def test_the_status_says_that_the_host_runs(host: RunningHost) -> None:
    status = (await host.call("GET", "/admin/host/status", KEYS["master"])).json()
    assert status["state"] == "Running"
    assert status["processUptime"] >= 0


async def test_the_functions_are_listed_with_their_bindings_and_addresses(host: RunningHost) -> None:
    listed = (await host.call("GET", "/admin/functions", KEYS["master"])).json()
    by_name = {item["name"]: item for item in listed}
    assert list(by_name) == ["yearly", "worker", "seen", "hello"]
    assert by_name["hello"]["invoke_url_template"] == f"{host.url}/v1/hello/{{name}}"
    assert by_name["yearly"]["config"]["bindings"][0]["schedule"] == "0 0 0 1 1 *"
    shown = (await host.call("GET", "/admin/functions/HELLO", KEYS["master"])).json()
    assert shown == by_name["hello"]


async def test_a_timer_runs_by_hand(host: RunningHost) -> None:
    before = len(host.reports(ran="yearly"))
    reply = await host.call("POST", "/admin/functions/yearly", KEYS["master"], json={"input": ""})
    assert reply.status == 202
    assert (await host.wait_for(before + 1, ran="yearly"))[-1]["past_due"] is False


async def test_a_queue_function_runs_by_hand_with_the_input_as_message(host: RunningHost) -> None:
    given = {"input": json.dumps({"job": 1})}
    assert (await host.call("POST", "/admin/functions/worker", KEYS["master"], json=given)).status == 202
    assert await host.wait_for(ran="worker", body={"job": 1}, count=1)


async def test_an_event_grid_function_runs_by_hand_with_the_input_as_event(host: RunningHost) -> None:
    given = {"input": json.dumps({"id": "by hand"})}
    assert (await host.call("POST", "/admin/functions/seen", KEYS["master"], json=given)).status == 202
    assert await host.wait_for(ran="seen", id="by hand")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/admin/functions/nobody", b"{}", 404),
        ("/admin/functions/worker", b"no json", 400),
        ("/admin/functions/worker", b"[]", 400),
        ("/admin/functions/seen", b'{"input": "no json"}', 400),
        ("/admin/functions/hello", b"{}", 400),
    ],
)
async def test_what_cannot_be_started_is_refused(
    host: RunningHost, path: str, body: bytes, status: int
) -> None:
    assert (await host.call("POST", path, KEYS["master"], data=body)).status == status


async def test_the_route_prefix_of_host_json_counts(host: RunningHost) -> None:
    assert (await host.call("GET", "/v1/hello/you", KEYS["function"])).status == 200
    assert (await host.call("GET", "/api/hello/you", KEYS["function"])).status == 404
