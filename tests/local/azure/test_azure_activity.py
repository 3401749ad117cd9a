"""The activity log: entries like Azure's, the truth about them, and where they go."""

import json
import re
from itertools import pairwise
from typing import Any

import pytest

from local.azure.plays import DIRTY, MIXED, REPEATED, play
from local.azure.scenarios import SCENARIOS
from tests.local.azure.azure_bench import Bench, setting

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")


def _listen(bench: Bench, *categories: str) -> str:
    """Lead a subscription's activity log to a hub; gives back the subscription."""
    rule, subscription = bench.make_hub(), bench.customer.delegated[0]
    body = setting(rule, "contoso", *categories)
    path = f"/subscriptions/{subscription}/providers/microsoft.insights/diagnosticSettings/Lightkeeper-Logs"
    answer = bench.call("PUT", f"{path}?api-version=2021-05-01-preview", json.dumps(body).encode())
    assert answer.ok, answer.body
    return subscription


def _waiting(bench: Bench) -> list[dict[str, Any]]:
    """Records that wait in partitions."""
    return [
        record
        for partition in bench.azure.stream.partitions.values()
        for event in partition.events
        if event.body
        for record in json.loads(event.body)["records"]
    ]


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
async def test_every_entry_has_the_export_shape(bench: Bench, scenario: str) -> None:
    for written in await play(bench.azure, scenario, bench.customer.delegated[0], count=3, seed=1):
        assert written.entries
        for entry in written.entries:
            assert _TIME.fullmatch(entry["time"])
            assert isinstance(entry["correlationId"], str)
            assert entry["properties"]["eventCategory"] == entry["category"]
            for body in ("requestbody", "responseBody", "statusMessage"):
                if body in entry["properties"]:
                    json.loads(entry["properties"][body])
            if entry["category"] == "Administrative":
                assert isinstance(entry["durationMs"], int | str)
                assert entry["resultSignature"].partition(".")[0] in (
                    "Started",
                    "Accepted",
                    "Succeeded",
                    "Failed",
                )
                assert {"authorization", "claims"} <= entry["identity"].keys()


async def test_the_truth_accounts_for_every_entry(bench: Bench) -> None:
    for written in await play(bench.azure, MIXED, bench.customer.delegated[0], count=60, seed=3):
        members = sum(len(operation.result_types) for operation in written.operations)
        assert members + written.passed_through == len(written.entries)


async def test_a_deployment_shares_one_correlation_id_over_its_operations(bench: Bench) -> None:
    [written] = await play(bench.azure, "deployment", bench.customer.delegated[0])
    assert len({operation.correlation_id for operation in written.operations}) == 1
    assert len(written.operations) == 5
    assert any(operation.result_types.count("Accept") == 3 for operation in written.operations)
    assert written.passed_through == 1


@pytest.mark.parametrize(
    ("scenario", "result_types", "outcome"),
    [
        ("key_vault_create", ("Start", "Success", "Success"), "success"),
        ("refused", ("Start", "Failure"), "failure"),
        ("failed", ("Start", "Failure"), "failure"),
        ("retried", ("Start", "Failure") * 4 + ("Start", "Success"), "success"),
    ],
)
async def test_an_operation_has_its_pattern(
    bench: Bench, scenario: str, result_types: tuple[str, ...], outcome: str
) -> None:
    [written] = await play(bench.azure, scenario, bench.customer.delegated[0])
    [operation] = written.operations
    assert operation.result_types == result_types
    assert operation.outcome == outcome
    assert operation.attempts == result_types.count("Start")


async def test_cascaded_deletes_have_no_start(bench: Bench) -> None:
    [written] = await play(bench.azure, "cascaded_delete", bench.customer.delegated[0])
    assert [o.result_types for o in written.operations].count(("Success",)) == 3


async def test_the_later_result_of_a_long_operation_names_its_job(bench: Bench) -> None:
    [written] = await play(bench.azure, "key_vault_create", bench.customer.delegated[0])
    jobs = [entry["jobId"] for entry in written.entries if "jobId" in entry]
    assert len(jobs) == 1
    assert jobs[0].startswith("ProxyResourceLongOperationJob:")


async def test_case_varies_and_arrival_is_not_always_in_order(bench: Bench) -> None:
    played = await play(bench.azure, MIXED, bench.customer.delegated[0], count=80, seed=5)
    entries = [entry for written in played for entry in written.entries]
    assert any(entry["resourceId"] != entry["resourceId"].upper() for entry in entries)
    disordered = [
        written for written in played if any(a["time"] > b["time"] for a, b in pairwise(written.entries))
    ]
    assert 0 < len(disordered) < len(played) / 2


async def test_the_same_seed_writes_the_same(bench: Bench) -> None:
    first, second = [
        await play(bench.azure, "retried", bench.customer.delegated[0], seed=9) for _ in range(2)
    ]
    assert [o.correlation_id for w in first for o in w.operations] == [
        o.correlation_id for w in second for o in w.operations
    ]


async def test_without_a_setting_nothing_is_delivered(bench: Bench) -> None:
    bench.make_hub()
    [written] = await play(bench.azure, "deployment", bench.customer.delegated[0])
    assert written.delivered == 0
    assert _waiting(bench) == []


async def test_only_enabled_categories_are_delivered(bench: Bench) -> None:
    subscription = _listen(bench, "Policy")
    [written] = await play(bench.azure, "deployment", subscription)
    assert written.delivered == 1
    assert [record["category"] for record in _waiting(bench)] == ["Policy"]


async def test_writing_and_deleting_a_setting_leaves_entries_too(bench: Bench) -> None:
    subscription = _listen(bench, "Administrative")
    path = f"/subscriptions/{subscription}/providers/microsoft.insights/diagnosticSettings/Lightkeeper-Logs"
    bench.call("DELETE", f"{path}?api-version=2021-05-01-preview")
    seen = [(record["operationName"].upper(), record["resultType"]) for record in _waiting(bench)]
    assert sorted(seen) == [
        ("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE", "Start"),
        ("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE", "Success"),
        ("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/WRITE", "Start"),
        ("MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/WRITE", "Success"),
    ]


async def test_entries_can_come_twice(bench: Bench) -> None:
    subscription = _listen(bench)
    before = len(_waiting(bench))
    [written] = await play(bench.azure, REPEATED, subscription)
    assert written.delivered == written.duplicates == len(written.entries)
    texts = [json.dumps(record) for record in _waiting(bench)]
    assert len(texts) == 2 * len(written.entries) + before
    assert len(set(texts)) == len(written.entries) + before
    assert bench.azure.stream.records["lightkeeper-weu-1", "contoso"] == len(texts)


async def test_an_unknown_scenario_or_subscription_is_an_error(bench: Bench) -> None:
    with pytest.raises(KeyError):
        await play(bench.azure, "picnic", bench.customer.delegated[0])
    with pytest.raises(KeyError):
        await play(bench.azure, DIRTY, "00000000-0000-0000-0000-000000000000")
