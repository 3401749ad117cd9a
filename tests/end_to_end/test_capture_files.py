"""Capture files through Event Grid: split, late, unfinished, repeated, foreign and dirty ones."""

import asyncio
import json
from collections import Counter

from shared.capture.entries import CONDENSED
from tests.capture.activity_log import capture_file, envelope, exact, members, record, text
from tests.end_to_end.system import Json, System, Tenant, until


def holds(condensed: Json, entries: list[Json]) -> bool:
    """Whether a condensed record holds exactly these entries."""
    return sorted(members(json.dumps(condensed)).elements()) == sorted(exact(text(one)) for one in entries)


async def of(system: System, tenant: Tenant, correlation: str) -> list[Json]:
    """All condensed records of a correlation ID, every revision, in order of revision."""
    found = [one for one in await system.records(tenant) if one["correlationId"] == correlation]
    return sorted(found, key=lambda one: int(one[CONDENSED]["revision"]))


async def problem_at(system: System, tenant: Tenant, where: str) -> list[str]:
    """The reasons that the API shows for a place."""
    problems = (await system.app.integration(tenant.integration_id))["problems"]
    return [problem["reason"] for problem in problems if problem["where"] == where]


async def test_an_operation_split_over_files_and_partitions_has_one_record(patient: System) -> None:
    tenant = await patient.customer()
    entries = [record("Start", 0), record("Accept", 1), record("Success", 2)]
    before = await patient.entries(tenant)

    for partition, entry in enumerate(entries):
        await patient.hand_in(await patient.upload(tenant, [envelope(entry)], partition=partition))
        parked = (await patient.entries(tenant))["parked"] - before["parked"]
        assert parked == (partition + 1 if partition < 2 else 0)

    [one] = await of(patient, tenant, "c1")
    assert holds(one, entries)
    assert (one[CONDENSED]["revision"], one[CONDENSED]["outcome"]) == (1, "success")


async def test_halves_that_come_at_the_same_moment_find_each_other(patient: System) -> None:
    tenant = await patient.customer()
    pairs = [[record(status, correlation=f"pair-{n}") for status in ("Start", "Failure")] for n in range(20)]
    paths = [
        await patient.upload(tenant, [envelope(*(pair[half] for pair in pairs))], partition=half)
        for half in (0, 1)
    ]

    await asyncio.gather(*map(patient.hand_in, paths))

    for pair in pairs:
        [one] = await of(patient, tenant, pair[0]["correlationId"])
        assert holds(one, pair)


async def test_a_deployment_whose_results_azure_captures_later_has_its_records(patient: System) -> None:
    tenant = await patient.customer()
    [written] = await patient.play("split", tenant.subscriptions[0])
    ended = [each for each in written["operations"] if "Success" in each["result_types"]]
    [correlation] = {each["correlation_id"] for each in ended}

    found = await until(lambda: of(patient, tenant, correlation), lambda found: len(found) >= len(ended))

    assert len(ended) == 4
    by_resource = {str(one["resourceId"]).upper(): one for one in found}
    assert len(by_resource) == 4
    for operation in ended:
        one = by_resource[operation["resource_id"]]
        assert holds(one, [e for e in written["entryList"] if same_operation(e, one)])
        assert one[CONDENSED]["revision"] == 1


def same_operation(entry: Json, other: Json) -> bool:
    names = ("correlationId", "operationName", "resourceId")
    return [str(entry[name]).upper() for name in names] == [str(other[name]).upper() for name in names]


async def test_a_late_entry_leads_to_a_second_revision_of_the_same_record(patient: System) -> None:
    tenant = await patient.customer()
    entries = [record("Start", 0), record("Success", 1), record("Success", 31)]
    await patient.hand_in(await patient.upload(tenant, [envelope(*entries[:2])]))

    await patient.hand_in(await patient.upload(tenant, [envelope(entries[2])], partition=3))

    first, second = await of(patient, tenant, "c1")
    assert holds(first, entries[:2])
    assert holds(second, entries)
    assert first[CONDENSED]["uid"] == second[CONDENSED]["uid"]
    assert (first[CONDENSED]["revision"], second[CONDENSED]["revision"]) == (1, 2)


async def test_what_cannot_be_read_is_set_aside_whole_with_place_and_reason(patient: System) -> None:
    tenant = await patient.customer()
    before = await patient.entries(tenant)
    good = [record("Start"), record("Success", 1)]
    torn, wrong = b'{"records":[{"time":"2026-01-', b'{"time":"\xff\xfe"}'
    mixed = text({"records": [good[0], "no object", good[1]]})
    bodies = [torn, None, mixed, b'{"records":[' + wrong + b"]}", b'{"a": NaN}']
    path = await patient.upload(tenant, bodies)

    await patient.hand_in(path)

    aside = await patient.aside(tenant.name)
    assert [(each["reason"], each["bytes"], each["position"]["event"]) for each in aside] == [
        ("invalid_json", torn, 0),
        ("null_body", b"", 1),
        ("not_an_object", b'"no object"', 2),
        ("invalid_utf8", wrong, 3),
    ]
    assert {each["source"] for each in aside} == {path}
    assert aside[2]["position"]["record"] == 1
    assert all(each["position"]["sequence"] == 100 + each["position"]["event"] for each in aside)
    after = await patient.entries(tenant)
    assert (after["in"] - before["in"], after["setAside"], after["condensed"] - before["condensed"]) == (
        7,
        4,
        2,
    )
    [one] = await of(patient, tenant, "c1")
    assert holds(one, good)
    place = f"{tenant.namespace}/{tenant.name}"
    assert await problem_at(patient, tenant, place) == ["entries_set_aside"]


async def test_a_file_that_breaks_off_is_kept_and_its_beginning_used(patient: System) -> None:
    tenant = await patient.customer()
    whole = capture_file([envelope(record("Start"), record("Success", 1))] * 2, sync_interval=100)
    path = patient.new_path(tenant)
    await patient.write(path, whole[:-40])

    await patient.hand_in(path)

    [one] = await of(patient, tenant, "c1")
    assert one[CONDENSED]["num_correlated_records"] == 2
    aside = await patient.aside(tenant.name)
    assert aside
    assert all(each["bytes"] in whole for each in aside)
    assert await problem_at(patient, tenant, path) == ["corrupt_capture_file"]


async def test_a_file_of_a_hub_that_nobody_has_goes_to_nobody(patient: System) -> None:
    tenant = await patient.customer()
    before = await patient.entries(tenant)
    data = capture_file([envelope(record("Start", customer=tenant.name), record("Success", 1))])
    places = (f"stranger/{tenant.name}", f"{tenant.namespace}/{tenant.name}-2")
    for place in places:
        path = await patient.write(f"{place}/0/2026/01/01/00/00/00.avro", data)

        await patient.hand_in(path)

        [kept] = [each for each in await patient.aside("unassigned") if each["source"] == path]
        assert (kept["reason"], kept["bytes"]) == ("unknown_hub", data)
        assert kept["copy"].startswith("unassigned/2026/01/01/")
        [problem] = [each for each in await patient.problems("provider") if each["where"] == place]
        assert (problem["reason"], problem["resolved_at"]) == ("unknown_hub", "")
    assert await patient.entries(tenant) == before
    assert await patient.aside(tenant.name) == []
    assert await of(patient, tenant, "c1") == []


async def test_an_event_that_is_delivered_again_changes_nothing(patient: System) -> None:
    tenant = await patient.customer()
    entries = [record("Start"), record("Success", 1), record("Active", category="ServiceHealth")]
    path = await patient.upload(tenant, [envelope(*entries), None])
    await patient.hand_in(path)
    counts, files = await patient.entries(tenant), await patient.app.condensed_files(tenant.name)

    assert [await patient.announce(path) for _ in range(3)] == [202, 202, 202]

    assert await patient.entries(tenant) == counts
    assert await patient.app.condensed_files(tenant.name) == files
    announced = [each for each in await patient.messages(tenant) if each["source"] == path]
    assert len(announced) == 1
    assert len(await patient.aside(tenant.name)) == 1


async def test_deliveries_at_the_same_moment_take_turns(patient: System) -> None:
    tenant = await patient.customer()
    before = await patient.entries(tenant)
    path = await patient.upload(tenant, [envelope(record("Start"), record("Success", 1))])

    statuses = await asyncio.gather(*(patient.announce(path) for _ in range(6)))
    await patient.hand_in(path)

    assert set(statuses) <= {202, 500}
    assert Counter(await patient.entries(tenant)) - Counter(before) == {
        "in": 2,
        "condensed": 2,
        "operations": 1,
    }
    assert len(await of(patient, tenant, "c1")) == 1
    assert len([each for each in await patient.messages(tenant) if each["source"] == path]) == 1


async def test_event_grid_may_deliver_everything_twice(patient: System) -> None:
    tenant = await patient.customer()
    await patient.azure.switch_fault_on("duplicate_event", path=f"/{tenant.name}/")

    for scenario in ("role_assignment", "refused", "failed", "retried", "alert"):
        await patient.play(scenario, tenant.subscriptions[0])
    counts = await patient.settled(tenant)

    hub = (await patient.azure.state())["hubs"][f"{tenant.namespace}/{tenant.name}"]
    assert counts["in"] == hub["records"] == counts["condensed"] + counts["passedThrough"]
    latest = {
        one[CONDENSED]["uid"]: one[CONDENSED]["num_correlated_records"]
        for one in sorted(await patient.records(tenant), key=lambda one: int(one[CONDENSED]["revision"]))
    }
    assert sum(latest.values()) == counts["condensed"]
    messages = await patient.messages(tenant)
    assert sorted(each["blob"] for each in messages) == [
        file.blob for file in await patient.app.condensed_files(tenant.name)
    ]
    await patient.azure.switch_fault_off("duplicate_event")


async def test_entries_that_azure_sends_twice_are_counted_once(patient: System) -> None:
    tenant = await patient.customer()
    before = await patient.entries(tenant)
    entries = [record("Start"), record("Success", 1)]
    for partition in (0, 1):
        path = await patient.upload(tenant, [envelope(*entries)], partition=partition)
        await patient.hand_in(path)

    after = await patient.entries(tenant)
    assert (after["condensed"] - before["condensed"], after["duplicates"]) == (2, 2)
    [one] = await of(patient, tenant, "c1")
    assert holds(one, entries)


async def test_customers_whose_entries_are_alike_stay_apart(patient: System) -> None:
    one, other = await patient.customer(), await patient.customer()
    begin = record("Start", correlation="alike")
    end = record("Success", 1, correlation="alike")

    await patient.hand_in(await patient.upload(one, [envelope(begin)]))
    await patient.hand_in(await patient.upload(other, [envelope(end)]))
    assert await of(patient, one, "alike") == []
    assert await of(patient, other, "alike") == []

    await patient.hand_in(await patient.upload(one, [envelope(end)]))
    [record_of_one] = await of(patient, one, "alike")
    assert holds(record_of_one, [begin, end])
    assert await of(patient, other, "alike") == []
    assert (await patient.entries(other))["parked"] >= 1


async def test_events_about_other_blobs_are_taken_and_ignored(patient: System) -> None:
    tenant = await patient.customer()
    before = await patient.entries(tenant)
    for path in (f"{tenant.namespace}/{tenant.name}/notes.txt", f"{tenant.name}/0/2026/01/01/00/00/00.avro"):
        await patient.write(path, b"not a capture file")
        assert await patient.announce(path) == 202
    assert await patient.entries(tenant) == before
