import json
from collections.abc import Iterator
from typing import Any

import pytest

from local.azurite import Azurite
from tests.local.host.host_harness import KEYS, Reply, RunningHost, environment, write_app

APP = """
@app.event_grid_trigger(arg_name="event")
async def capture_created(event: func.EventGridEvent) -> None:
    if isinstance(event, func.CloudEvent):
        report(id=event.id, schema="cloud", source=event.source, kind=event.type, data=event.get_json())
        return
    if event.id == "bad":
        raise RuntimeError("bad event")
    report(
        id=event.id, schema="grid", subject=event.subject, kind=event.event_type, data=event.get_json(),
        time=event.event_time.isoformat(),
    )


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
async def other(timer: func.TimerRequest) -> None:
    pass
"""


@pytest.fixture(scope="module")
def host(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    folder = write_app(tmp_path_factory.mktemp("grid"), APP)
    with RunningHost(folder, environment(azurite, folder)) as running:
        yield running


def event(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "topic": "/subscriptions/s",
        "subject": "/blobServices/default/containers/capture/blobs/b.avro",
        "eventType": "Microsoft.Storage.BlobCreated",
        "eventTime": "2026-01-02T03:04:05.1234567Z",
        "data": {"url": "http://127.0.0.1/b.avro"},
        "dataVersion": "",
        "metadataVersion": "1",
    }


async def deliver(
    host: RunningHost, body: object, kind: str | None = "Notification", name: str = "capture_created"
) -> Reply:
    headers = {} if kind is None else {"aeg-event-type": kind}
    path = f"/runtime/webhooks/EventGrid?functionName={name}&code={KEYS['event_grid']}"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await host.call("POST", path, data=data, headers=headers)


async def test_a_validation_is_answered_with_its_code(host: RunningHost) -> None:
    reply = await deliver(host, [{"data": {"validationCode": "code-1"}}], "SubscriptionValidation")
    assert (reply.status, reply.json()) == (200, {"validationResponse": "code-1"})


async def test_a_validation_in_cloud_events_form_carries_its_data_as_text(host: RunningHost) -> None:
    body = {"specversion": "1.0", "data": json.dumps({"validationCode": "code-2"})}
    reply = await deliver(host, body, "SubscriptionValidation")
    assert reply.json() == {"validationResponse": "code-2"}


async def test_the_function_runs_once_for_each_event_of_an_array(host: RunningHost) -> None:
    assert (await deliver(host, [event("one"), event("two")])).status == 202
    assert host.reports(id="two") == [
        {
            "id": "two",
            "schema": "grid",
            "subject": "/blobServices/default/containers/capture/blobs/b.avro",
            "kind": "Microsoft.Storage.BlobCreated",
            "data": {"url": "http://127.0.0.1/b.avro"},
            "time": "2026-01-02T03:04:05.123456+00:00",
        }
    ]
    assert len(host.reports(id="one")) == 1


async def test_a_single_event_needs_no_array_and_may_be_a_cloud_event(host: RunningHost) -> None:
    body = {"specversion": "1.0", "id": "three", "source": "/s", "type": "t", "data": {"a": 1}}
    assert (await deliver(host, body)).status == 202
    assert host.reports(id="three") == [
        {"id": "three", "schema": "cloud", "source": "/s", "kind": "t", "data": {"a": 1}}
    ]


async def test_one_failing_event_fails_the_delivery_and_the_others_still_run(host: RunningHost) -> None:
    assert (await deliver(host, [event("bad"), event("four")])).status == 500
    assert host.reports(id="four")


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("Unsubscribe", [], 202),
        ("notification", [], 202),
        ("Something", [], 400),
        (None, [], 400),
        ("Notification", b"no json", 500),
        ("Notification", b"5", 500),
        ("SubscriptionValidation", b"[]", 500),
    ],
)
async def test_the_event_type_decides(host: RunningHost, kind: str | None, body: object, status: int) -> None:
    assert (await deliver(host, body, kind)).status == status


@pytest.mark.parametrize("name", ["nobody", "other", ""])
async def test_only_event_grid_functions_can_be_addressed(host: RunningHost, name: str) -> None:
    assert (await deliver(host, [event("five")], name=name)).status == 404


@pytest.mark.parametrize(
    ("query", "key", "status"),
    [
        ("", None, 401),
        ("&code=wrong", None, 401),
        (f"&code={KEYS['function']}", None, 401),
        (f"&code={KEYS['event_grid']}", "wrong", 401),
        ("", KEYS["event_grid"], 202),
        ("", KEYS["master"], 202),
    ],
)
async def test_the_system_key_is_needed(host: RunningHost, query: str, key: str | None, status: int) -> None:
    path = f"/runtime/webhooks/EventGrid?functionName=capture_created{query}"
    headers = {"aeg-event-type": "Unsubscribe"}
    assert (await host.call("POST", path, key, data=b"[]", headers=headers)).status == status
