"""Azure refuses, fails and breaks off: it takes longer, and nothing is lost."""

import re
import time
from collections.abc import AsyncIterator

import pytest

from shared.capture.entries import CONDENSED
from tests.capture.activity_log import envelope, record
from tests.end_to_end.system import System, Tenant, until

_MOST_ANSWER_SECONDS = 5.0
_RETRY_AFTER = 10
_DURATION = re.compile(r"invocation function=(\w+) .* duration_ms=(\d+) ")


@pytest.fixture(autouse=True)
async def calm(hurried: System) -> AsyncIterator[None]:
    """After each test nothing goes wrong any more."""
    yield
    await hurried.azure.switch_fault_off()


async def met(system: System, fault: str, calls: int) -> None:
    """Wait until so many calls have met a fault."""
    await until(system.azure.state, lambda state: bool(state["faults"][fault]["met"] >= calls))


async def collects(system: System, tenant: Tenant) -> None:
    """A capture file of the customer is condensed at once."""
    before = await system.entries(tenant)
    correlation = f"collected-{time.monotonic_ns()}"
    entries = [record(status, correlation=correlation) for status in ("Start", "Success")]
    await system.hand_in(await system.upload(tenant, [envelope(*entries)]))
    after = await system.entries(tenant)
    assert after["condensed"] == before["condensed"] + 2


async def coverage(system: System, tenant: Tenant) -> set[str]:
    return {row["coverage"] for row in await system.app.subscriptions(tenant.integration_id)}


async def listing_problem(system: System) -> str | None:
    """Why subscriptions cannot be listed at the moment."""
    rows = await system.problems("provider")
    lasting = [row["reason"] for row in rows if row["where"] == "subscriptions" and not row["resolved_at"]]
    return lasting[0] if lasting else None


async def test_throttling_delays_and_blocks_nothing_else(hurried: System) -> None:
    known = await hurried.customer()
    logged = len(hurried.log())
    await hurried.azure.switch_fault_on("throttled", seconds=_RETRY_AFTER)
    tenant = await hurried.register(3, vaults=0)

    began = time.monotonic()
    await met(hurried, "throttled", 10)
    for _ in range(5):
        asked = time.monotonic()
        await hurried.app.integration(known.integration_id)
        assert time.monotonic() - asked < _MOST_ANSWER_SECONDS
    await collects(hurried, known)
    assert await coverage(hurried, known) == {"configured"}
    assert time.monotonic() - began < 30
    await hurried.azure.switch_fault_off("throttled")

    await hurried.configured(tenant)
    # A worker that had waited for the Retry-After would have been busy for so long.
    durations = [int(found[2]) for found in _DURATION.finditer(hurried.log()[logged:])]
    assert len(durations) > 10
    assert max(durations) < _RETRY_AFTER * 1000
    counts = (await hurried.azure.counts())["byStatus"]
    assert sum(number for kind, number in counts.items() if kind.startswith("429 ")) >= 10


async def test_after_an_outage_everything_is_as_wanted(hurried: System) -> None:
    known, disabled, changed = [await hurried.customer() for _ in range(3)]
    await hurried.azure.switch_fault_on("error_503", name="outage")
    tenant = await hurried.register(2, vaults=0)
    await hurried.azure.set_state(disabled.subscriptions[0], "Disabled")
    assert await hurried.azure.delete_setting(
        f"/subscriptions/{changed.subscriptions[0]}", "Lightkeeper-Logs"
    )

    for kind in ("error_503", "error_500", "drop"):
        await hurried.azure.switch_fault_on(kind, name="outage")
        await met(hurried, "outage", 3)
        await collects(hurried, known)
        for each in (known, disabled, changed):
            assert await coverage(hurried, each) <= {"configured", "blocked"}
    assert await until(lambda: listing_problem(hurried), bool) == "unreachable"
    await hurried.azure.switch_fault_off("outage")

    await hurried.until_subscription(disabled, disabled.subscriptions[0], reason="subscription_disabled")
    await until(lambda: hurried.setting(changed.subscriptions[0]), lambda setting: setting is not None)
    for each in (known, changed, tenant):
        await hurried.configured(each)
        assert await hurried.reasons(each) == set()
    await until(lambda: listing_problem(hurried), lambda reason: reason is None)


async def test_a_namespace_that_is_lost_while_it_is_made_is_made_in_the_end(hurried: System) -> None:
    await hurried.azure.switch_fault_on(
        "drop_after", method="PUT", path="/namespaces/lightkeeper-norwayeast-1", calls=2
    )
    tenant = await hurried.register(region="norwayeast", vaults=0)
    tenant = await hurried.configured(tenant)
    assert tenant.namespace == "lightkeeper-norwayeast-1"


async def test_a_capture_file_that_is_not_there_yet_is_handled_when_it_comes_again(patient: System) -> None:
    tenant = await patient.customer()
    path = patient.new_path(tenant)
    assert await patient.announce(path) == 500

    there = await patient.upload(tenant, [envelope(record("Start"), record("Success", 1))])
    await patient.hand_in(there)

    [condensed] = [one for one in await patient.records(tenant) if one["correlationId"] == "c1"]
    assert condensed[CONDENSED]["num_correlated_records"] == 2
