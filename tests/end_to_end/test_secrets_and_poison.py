"""What the app keeps to itself: no secret and no payload in its log; and what it cannot read it shows."""

import json
import re
from typing import Any

import pytest

from shared.model.jobs import Step
from tests.capture.activity_log import envelope, record
from tests.end_to_end.system import PATIENCE, System, until

_QUEUES = [step.queue for step in (Step.SUBSCRIPTIONS, Step.SUBSCRIPTION_SETTINGS, Step.EVENT_HUBS)]
_TOKEN_BEGIN = "eyJ0eXAi"  # base64 of {"typ"
_MARK = "Mississippi-mud-pie"
_JOB = {"version": 1, "kind": "subscriptions:plan", "cycle": "20260101T000000.000000Z", "reason": "cycle"}


@pytest.mark.parametrize("queue", _QUEUES)
async def test_a_message_that_is_no_job_goes_to_the_poison_queue_and_is_a_problem(
    patient: System, queue: str
) -> None:
    texts = [f"{_MARK}, no JSON", json.dumps(_JOB | {"version": 99}), json.dumps(_JOB | {"kind": _MARK})]

    for text in texts:
        await patient.send(queue, text)

    def all_there(found: list[dict[str, str]]) -> bool:
        return {each["message"] for each in found} >= set(texts)

    poisoned = await until(lambda: patient.poisoned(queue), all_there, PATIENCE)
    reasons = {each["message"]: each["reason"] for each in poisoned}
    assert reasons[texts[0]].startswith("not a job message")
    assert reasons[texts[1]] == "unknown version 99"
    assert reasons[texts[2]] == "unknown kind or reason"
    [problem] = await until(lambda: problems_at(patient, queue), bool)
    assert (problem["reason"], problem["resolved_at"]) == ("malformed_message", "")
    assert _MARK not in problem["detail"]


async def problems_at(system: System, where: str) -> list[dict[str, Any]]:
    return [each for each in await system.problems("provider") if each["where"] == where]


async def test_the_log_holds_no_secret_and_no_payload(patient: System) -> None:
    tenant = await patient.customer()
    [subscription] = tenant.subscriptions
    begun = record("Start", caller=_MARK, properties={"requestbody": _MARK})
    torn = b'{"records": "' + _MARK.encode()
    told = []
    for scenario in ("deployment", "key_vault_create", "access_policy", "refused", "alert"):
        told += await patient.play(scenario, subscription)
    await patient.play("dirty", subscription)
    await patient.hand_in(await patient.upload(tenant, [envelope(begun), torn]))
    missing = patient.new_path(tenant)
    assert await patient.announce(missing) == 500
    await patient.send("sync-subscriptions", _MARK)
    await patient.request("POST", "api/integrations", json.dumps({"customer": _MARK}).encode())
    await patient.request("GET", f"api/integrations?code={patient.stack.function_key}", key=None)
    await patient.until_entries(tenant, lambda counts: counts["setAside"] >= 5)

    log = patient.log()

    assert "capture_created" in log
    assert "BlobNotFound" in log
    environment = patient.stack.app_environment()
    keys = [environment[name] for name in ("LOCAL_HOST_FUNCTION_KEY", "LOCAL_HOST_EVENTGRID_KEY")]
    [account_key] = re.findall("AccountKey=([^;]+)", environment["LightkeeperStorage"])
    for secret in (
        *keys,
        account_key,
        environment["IDENTITY_HEADER"],
        _TOKEN_BEGIN,
        "Bearer",
        "SharedAccess",
    ):
        assert secret not in log
    assert _MARK not in log
    entries = [entry for one in told for entry in one["entryList"]]
    assert len(entries) > 20
    payload = {
        word
        for entry in entries
        for word in (entry["correlationId"], entry.get("callerIpAddress"), entry.get("operationName"))
        if word
    }
    payload |= {"requestbody", "responseBody", "@", "claims"}
    assert sorted(word for word in payload if word in log) == []
