"""Capture files that went another way than by their event, and what an operator can do about them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from azure.data.tables.aio import TableServiceClient

from tests.capture.activity_log import capture_file, envelope, record
from tests.end_to_end.system import MASTER_KEY, Json, System, Tenant, until

_GOOD = [record("Start"), record("Success", 1)]


async def start(system: System, function: str) -> None:
    """Start a timer's function by hand."""
    reply = await system.request("POST", f"admin/functions/{function}", b'{"input": ""}', key=MASTER_KEY)
    assert reply.status == 202


async def assign_earlier(system: System, tenant: Tenant, moment: datetime) -> None:
    """Have the customer's hub at home assigned at another moment."""
    storage = system.stack.azurite.connection_string
    async with TableServiceClient.from_connection_string(storage) as tables:
        row = {"PartitionKey": tenant.region, "RowKey": tenant.name, "assigned_at": moment.isoformat()}
        await tables.get_table_client("hubs").update_entity(row)


async def set_aside(system: System, tenant: Tenant) -> list[Json]:
    """The customer's files that the API lists."""
    listed: list[Json] = (await system.request("GET", "api/set-aside")).json()["value"]
    return [one for one in listed if one["integrationId"] == tenant.integration_id]


async def test_a_file_that_no_event_announced_is_found_and_handled(patient: System) -> None:
    tenant = await patient.customer()
    now = datetime.now(UTC)
    await assign_earlier(patient, tenant, now - timedelta(hours=1))
    before = await patient.entries(tenant)
    moment = now - timedelta(minutes=10)
    path = f"{tenant.namespace}/{tenant.name}/2/{moment:%Y/%m/%d/%H/%M/%S}.avro"
    await patient.write(path, capture_file([envelope(*_GOOD)]))

    await start(patient, "capture_sweep_timer")

    after = await patient.until_entries(tenant, lambda counts: counts["in"] == before["in"] + 2)
    assert after["condensed"] == before["condensed"] + 2
    announced = await until(
        lambda: patient.messages(tenant), lambda found: path in {one["source"] for one in found}
    )
    assert sum(one["source"] == path for one in announced) == 1


async def test_a_file_that_lay_aside_is_handled_once_more_when_an_operator_asks(patient: System) -> None:
    tenant = await patient.customer()
    before = await patient.entries(tenant)
    path = await patient.upload(tenant, [envelope(_GOOD[0]), b"torn"])
    await patient.hand_in(path)
    (listed,) = await set_aside(patient, tenant)
    assert (listed["source"], listed["setAside"]) == (path, 1)

    await patient.write(path, capture_file([envelope(*_GOOD)]))
    assert (await patient.request("POST", f"api/set-aside/{listed['id']}/replay")).status == 202

    await until(lambda: set_aside(patient, tenant), lambda found: not found)
    assert Counter(await patient.entries(tenant)) - Counter(before) == {
        "in": 2,
        "condensed": 2,
        "operations": 1,
    }
    assert await patient.reasons(tenant) == set()


async def test_the_audit_finds_nothing_wrong_with_what_really_happened(patient: System) -> None:
    tenant = await patient.customer()
    await patient.hand_in(await patient.upload(tenant, [envelope(*_GOOD)]))

    async def audited() -> bool:
        return f'lightkeeper.day {{"integration":"{tenant.integration_id}"' in patient.log()

    await start(patient, "audit_timer")

    await until(audited, bool)
    assert "entries_unaccounted" not in await patient.reasons(tenant)
    assert f'lightkeeper.run {{"integration":"{tenant.integration_id}"' in patient.log()
