"""The whole path: onboarding, provisioning, collecting and condensing for two customers."""

import json
from collections import Counter

import pytest

from shared.capture.entries import CONDENSED
from tests.capture.activity_log import envelope, exact, members
from tests.capture.activity_log import record as made
from tests.end_to_end.system import Json, System, Tenant, until

_SCENARIOS = ("deployment", "key_vault_create", "refused", "failed", "retried", "cascaded_delete", "alert")
_OUR_WRITE = "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/WRITE"

type Key = tuple[str, str, str]


def key_of(entry: Json) -> Key:
    correlation, operation, resource = (
        str(entry[name]).lower() for name in ("correlationId", "operationName", "resourceId")
    )
    return correlation, operation, resource


def is_ours(entry: Json) -> bool:
    """Whether it tells of a diagnostic setting that the app wrote."""
    return str(entry["operationName"]).upper() == _OUR_WRITE


async def act(azure: System, tenant: Tenant) -> list[Json]:
    """Let things happen in all subscriptions; gives every entry that was written."""
    written = []
    for number, subscription in enumerate(tenant.subscriptions):
        for scenario in _SCENARIOS:
            written += await azure.play(scenario, subscription, seed=number)
    return [entry for one in written for entry in one["entryList"]]


@pytest.fixture(scope="module")
async def told(hurried: System) -> list[tuple[Tenant, list[Json]]]:
    """Two customers in different regions, and every entry that their subscriptions wrote."""
    regions = ("northeurope", "uksouth")
    registered = [await hurried.register(3, region=region) for region in regions]
    tenants = [await hurried.configured(tenant) for tenant in registered]
    told = [(tenant, await act(hurried, tenant)) for tenant in tenants]
    for tenant in tenants:
        # Each subscription has a vault from the beginning and one that was created since.
        await hurried.monitored(tenant, 2 * len(tenant.subscriptions))
        await hurried.settled(tenant)
    return told


async def test_every_operation_has_one_record_that_holds_exactly_its_entries(
    hurried: System, told: list[tuple[Tenant, list[Json]]]
) -> None:
    for tenant, entries in told:
        truth: dict[Key, Counter[str]] = {}
        for entry in entries:
            if entry["category"] == "Administrative":
                truth.setdefault(key_of(entry), Counter())[exact(json.dumps(entry))] += 1

        latest = latest_of(await hurried.records(tenant))

        assert {key: members(json.dumps(record)) for key, record in latest.items()} == truth
        for record in latest.values():
            assert record[CONDENSED]["num_correlated_records"] == truth[key_of(record)].total()


async def test_records_know_their_attempts_and_their_outcome(
    hurried: System, told: list[tuple[Tenant, list[Json]]]
) -> None:
    for tenant, entries in told:
        kinds: dict[Key, list[str]] = {}
        for entry in sorted(entries, key=lambda entry: str(entry["time"])):
            if entry["category"] == "Administrative":
                kinds.setdefault(key_of(entry), []).append(entry["resultType"])
        for key, record in latest_of(await hurried.records(tenant)).items():
            of_key, facts = kinds[key], record[CONDENSED]
            ends = [kind.lower() for kind in of_key if kind in ("Success", "Failure")]
            assert facts["outcome"] == (ends[-1] if ends else "unknown")
            assert facts["attempts"] == of_key.count("Start")
            assert facts.get("missing") == (None if "Start" in of_key else ["start"])


async def test_everything_else_passes_through_as_it_came(
    hurried: System, told: list[tuple[Tenant, list[Json]]]
) -> None:
    for tenant, entries in told:
        files = await hurried.app.condensed_files(tenant.name)
        passed = [exact(json.dumps(one)) for file in files for one in file.records if CONDENSED not in one]
        others = [exact(json.dumps(entry)) for entry in entries if entry["category"] != "Administrative"]
        assert Counter(passed) == Counter(others)


async def test_the_counts_add_up_to_what_azure_sent(
    hurried: System, told: list[tuple[Tenant, list[Json]]]
) -> None:
    state = await hurried.azure.state()
    for tenant, entries in told:
        counts = await hurried.entries(tenant)
        records = await hurried.records(tenant)
        ours = {key_of(record) for record in records if is_ours(record)}
        assert counts["in"] == state["hubs"][f"{tenant.namespace}/{tenant.name}"]["records"]
        assert counts["in"] == len(entries) + 2 * len(ours)
        assert counts["in"] == counts["condensed"] + counts["passedThrough"]
        assert (counts["duplicates"], counts["setAside"], counts["parked"]) == (0, 0, 0)
        assert counts["operations"] == len(records)


async def test_each_file_is_announced_by_one_complete_message(
    hurried: System, told: list[tuple[Tenant, list[Json]]]
) -> None:
    for tenant, _ in told:
        files = {file.blob: file for file in await hurried.app.condensed_files(tenant.name)}
        messages = await hurried.messages(tenant)
        assert sorted(message["blob"] for message in messages) == sorted(files)
        for message in messages:
            records = files[message["blob"]].records
            condensed = [record for record in records if CONDENSED in record]
            categories = Counter(str(record.get("category")) for record in records)
            assert message["version"] == 1
            assert message["integration"] == tenant.integration_id
            assert message["customer"] == tenant.name
            assert message["source"]
            assert message["counts"] == {
                "condensed": len(condensed),
                "passedThrough": len(records) - len(condensed),
            }
            assert message["categories"] == categories
            times = times_of(records)
            assert (message["first"], message["last"]) == (min(times), max(times))


async def test_no_record_of_one_customer_is_in_the_folder_of_another(
    hurried: System, told: list[tuple[Tenant, list[Json]]]
) -> None:
    for tenant, _ in told:
        own = {subscription.lower() for subscription in tenant.subscriptions}
        files = await hurried.app.condensed_files(tenant.name)
        assert files
        for record in (record for file in files for record in file.records):
            assert record["resourceId"].lower().split("/")[2] in own


async def test_the_api_shows_what_was_made_ready(
    hurried: System, told: list[tuple[Tenant, list[Json]]]
) -> None:
    for tenant, _ in told:
        seen = await hurried.app.integration(tenant.integration_id)
        assert seen["status"] == "active"
        assert await hurried.reasons(tenant) == set()
        assert seen["counts"]["subscriptions"] == {
            "total": 3,
            "pending": 0,
            "written": 0,
            "configured": 3,
            "blocked": 0,
            "excluded": 0,
            "gone": 0,
            "reasons": {},
        }
        [hub] = [each for each in seen["hubs"] if each["region"] == tenant.region]
        assert (hub["region"], hub["hub"], hub["state"]) == (tenant.region, tenant.name, "ready")
        assert hub["namespace"] == f"lightkeeper-{tenant.region}-1"
        rows = await hurried.app.subscriptions(tenant.integration_id)
        assert {row["subscriptionId"] for row in rows} == set(tenant.subscriptions)
        assert [row["displayName"] for row in rows] == [f"{tenant.name}-{n:04d}" for n in (1, 2, 3)]
        for row in rows:
            assert (row["state"], row["coverage"], row["reason"]) == ("Enabled", "configured", None)
            assert row["delegatedSince"] <= row["writtenAt"] <= row["verifiedAt"]


async def test_azure_has_what_the_api_says(hurried: System, told: list[tuple[Tenant, list[Json]]]) -> None:
    state = await hurried.azure.state()
    for tenant, _ in told:
        for subscription in tenant.subscriptions:
            setting = await hurried.setting(subscription)
            assert setting is not None
            assert setting["hub"] == tenant.name
            assert f"/namespaces/{tenant.namespace}/" in setting["ruleId"]
            assert len(setting["enabled"]) == 8
        hub = state["hubs"][f"{tenant.namespace}/{tenant.name}"]
        assert (hub["capture"], hub["partitions"]) == (True, 4)


async def of_correlation(system: System, tenant: Tenant, correlation: str) -> list[Json]:
    return [one for one in await system.records(tenant) if one["correlationId"] == correlation]


async def test_an_operation_without_an_end_is_emitted_when_it_has_waited(hurried: System) -> None:
    tenant = await hurried.customer()
    start, orphan = made("Start", correlation="begun"), made("Success", correlation="ended")
    path = await hurried.upload(tenant, [envelope(start, orphan)])
    await hurried.hand_in(path)

    begun = await until(lambda: of_correlation(hurried, tenant, "begun"), bool)
    ended = await until(lambda: of_correlation(hurried, tenant, "ended"), bool)

    assert list(members(json.dumps(begun[0]))) == [exact(json.dumps(start))]
    assert list(members(json.dumps(ended[0]))) == [exact(json.dumps(orphan))]
    assert (begun[0][CONDENSED]["outcome"], ended[0][CONDENSED]["missing"]) == ("unknown", ["start"])
    counts = await hurried.until_entries(tenant, lambda counts: counts["parked"] == 0)
    assert counts["in"] == counts["condensed"]
    messages = await until(
        lambda: hurried.messages(tenant), lambda found: any("/" not in each["source"] for each in found)
    )
    assert path not in {each["source"] for each in messages}


def latest_of(records: list[Json]) -> dict[Key, Json]:
    """The last revision of every record but those of what the app itself did."""
    in_order = sorted(records, key=lambda record: int(record[CONDENSED]["revision"]))
    return {key_of(record): record for record in in_order if not is_ours(record)}


def times_of(records: tuple[Json, ...]) -> list[str]:
    """Times of all entries in a file, those inside condensed records included."""
    found = []
    for record in records:
        if CONDENSED not in record:
            found.append(record["time"])
            continue
        found += [json.loads(text)["time"] for text in members(json.dumps(record))]
    return found
