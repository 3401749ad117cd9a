"""What somebody changes in a customer's subscription is whole again seconds after its log entry came in.

No timer fires in this system, so nothing but the log can bring a repair about.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError

from shared.model.jobs import Step
from shared.settings import SCHEDULES
from tests.capture.activity_log import envelope, record
from tests.end_to_end.system import System, Tenant, a_name, running, until

_ONCE_A_YEAR = "0 0 0 1 1 *"
_QUIET = {
    **dict.fromkeys(SCHEDULES, _ONCE_A_YEAR),
    "LOCAL_HOST_MAX_POLL_MS": "100",
    "LIGHTKEEPER_CYCLE_SECONDS": "1",
    "LIGHTKEEPER_READ_BACK_SECONDS": "0",
}
_MOST_SECONDS = 10.0
_SETTING = "Lightkeeper-Logs"
_RULE = "Lightkeeper-Entra-Data-Export"
_ACTIVITY_LOG = 8
_VAULT = 1


@pytest.fixture(scope="module")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system without cycles."""
    async with running(tmp_path_factory.mktemp("quiet"), 0, _QUIET) as system:
        yield system


@pytest.fixture(scope="module")
async def shared(quiet: System) -> Tenant:
    """A customer with one configured subscription; every test leaves it as whole as it found it."""
    return await quiet.configured(await quiet.register())


@pytest.fixture
async def tenant(quiet: System, shared: Tenant) -> Tenant:
    """That customer, with nothing on its way any more."""
    await _calm(quiet, shared)
    return shared


async def _calm(system: System, tenant: Tenant) -> None:
    """Wait until all log entries have come in and no job is left."""

    async def waiting(step: Step) -> int:
        try:
            found = await system._queues.get_queue_client(step.queue).get_queue_properties()
        except ResourceNotFoundError:  # made when the first job comes
            return 0
        return found.approximate_message_count or 0

    async def jobs() -> int:
        return sum(await asyncio.gather(*map(waiting, Step)))

    await system.settled(tenant)
    await until(jobs, lambda count: count == 0)
    await system.settled(tenant)


async def _calls(system: System) -> Counter[str]:
    counts = await system.azure.counts()
    return Counter({kind: int(count) for kind, count in counts["byKind"].items()})


async def _tell(system: System, tenant: Tenant, operation: str, resource: str) -> None:
    """Let a capture file of the customer come with the entries of one operation."""
    named = {"operationName": operation, "resourceId": resource}
    correlation = a_name()
    entries = [record(status, correlation=correlation) | named for status in ("Start", "Success")]
    await system.hand_in(await system.upload(tenant, [envelope(*entries)]))


async def _enabled(system: System, scope: str) -> list[str]:
    """The categories that our setting has there; none if there is no such setting."""
    settings = (await system.azure.state())["settings"]
    found: list[str] = settings.get(scope.lower(), {}).get(_SETTING, {}).get("enabled", [])
    return found


async def _whole_after(system: System, scope: str, categories: int = _ACTIVITY_LOG) -> float:
    """Seconds from the capture of what just happened until our setting is as wanted."""
    await system.azure.flush_capture()
    begun = time.monotonic()
    await until(lambda: _enabled(system, scope), lambda enabled: len(enabled) == categories)
    return time.monotonic() - begun


async def _vault(system: System, tenant: Tenant) -> str:
    """Wait until the customer's key vault has our setting; gives its ID."""
    begin = f"/subscriptions/{tenant.subscriptions[0]}/resourcegroups/".lower()

    async def look() -> list[str]:
        settings = (await system.azure.state())["settings"]
        return [scope for scope, named in settings.items() if scope.startswith(begin) and _SETTING in named]

    return (await until(look, bool))[0]


async def test_a_deleted_setting_is_back_within_seconds_and_our_own_write_starts_nothing(
    quiet: System, tenant: Tenant
) -> None:
    subscription_id = tenant.subscriptions[0]
    scope = f"/subscriptions/{subscription_id}"
    before = await _calls(quiet)

    assert await quiet.azure.delete_setting(scope, _SETTING)
    seconds = await _whole_after(quiet, scope)
    await _calm(quiet, tenant)

    assert seconds <= _MOST_SECONDS
    calls = await _calls(quiet) - before
    assert sum(count for kind, count in calls.items() if kind.startswith("PUT ")) == 1
    assert calls.total() == 3, calls  # one look, one write, one read-back
    assert (await quiet.subscription(tenant, subscription_id))["coverage"] == "configured"


async def test_it_is_mended_as_often_as_it_is_broken(quiet: System, tenant: Tenant) -> None:
    scope = f"/subscriptions/{tenant.subscriptions[0]}"

    for _ in range(3):
        assert await quiet.azure.delete_setting(scope, _SETTING)
        assert await _whole_after(quiet, scope) <= _MOST_SECONDS
        await _calm(quiet, tenant)


async def test_what_happens_to_a_foreign_setting_starts_nothing(quiet: System, tenant: Tenant) -> None:
    subscription_id = tenant.subscriptions[0]
    before = await _calls(quiet)

    await quiet.azure.delete_setting(f"/subscriptions/{subscription_id}", "theirs")
    await quiet.azure.flush_capture()
    await _calm(quiet, tenant)

    assert await _calls(quiet) == before


async def test_a_category_that_somebody_disables_is_enabled_again(quiet: System, tenant: Tenant) -> None:
    scope = f"/subscriptions/{tenant.subscriptions[0]}"

    await quiet.azure.change_setting(scope, _SETTING, disable="Security")

    assert await _whole_after(quiet, scope) <= _MOST_SECONDS


async def test_a_deleted_setting_on_a_vault_is_back_within_seconds(quiet: System, tenant: Tenant) -> None:
    vault = await _vault(quiet, tenant)
    await _calm(quiet, tenant)
    before = await _calls(quiet)

    assert await quiet.azure.delete_setting(vault, _SETTING)
    seconds = await _whole_after(quiet, vault, _VAULT)
    await _calm(quiet, tenant)

    assert seconds <= _MOST_SECONDS
    calls = await _calls(quiet) - before
    assert calls.total() == 3, calls


async def test_a_new_vault_has_its_setting_within_seconds(quiet: System, tenant: Tenant) -> None:
    (written,) = await quiet.play("key_vault_create", tenant.subscriptions[0])

    vault = written["operations"][0]["resource_id"]

    assert await _whole_after(quiet, vault, _VAULT) <= _MOST_SECONDS


async def test_a_subscription_is_covered_within_seconds_of_its_delegation(quiet: System) -> None:
    tenant = await quiet.configured(await quiet.register(2, not_delegated=1), 1)
    added = tenant.subscriptions[1]
    await _calm(quiet, tenant)
    await quiet.azure.delegate(added)

    scope = f"/SUBSCRIPTIONS/{tenant.subscriptions[0].upper()}"
    await _tell(quiet, tenant, "MICROSOFT.MANAGEDSERVICES/REGISTRATIONASSIGNMENTS/WRITE", scope)

    assert await _whole_after(quiet, f"/subscriptions/{added}") <= _MOST_SECONDS


async def test_one_customers_log_reaches_no_other_customer(quiet: System, tenant: Tenant) -> None:
    other = await quiet.configured(await quiet.register())
    await _calm(quiet, other)
    before = await _calls(quiet)

    theirs = f"/subscriptions/{other.subscriptions[0]}"
    setting = f"{theirs}/providers/microsoft.insights/diagnosticSettings/{_SETTING}"
    await _tell(quiet, tenant, "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE", setting)
    await _calm(quiet, tenant)

    assert await _calls(quiet) == before


@pytest.fixture(scope="module")
async def exporting(quiet: System) -> tuple[Tenant, str, str]:
    """A customer with an export rule and an alert export; the IDs of its workspace and of the automation."""
    name, region = a_name(), "westeurope"
    made = await quiet.azure.add_customer(name, 1)
    (subscription_id,) = made.delegated
    await quiet.azure.set_roles(subscription_id, "Reader", "Log Analytics Contributor", "Security Admin")
    workspace = await quiet.azure.add_workspace(subscription_id, "entra", f"{name}-logs", region)
    group = await quiet.azure.add_group(subscription_id, "LightkeeperAutomation", region)
    answer = await quiet.app.register(
        customer=name, tenantId=made.tenant_id, homeRegion=region, workspaceResourceId=workspace
    )
    tenant = await quiet.configured(Tenant(name, region, made.tenant_id, made.delegated, answer["id"]))
    automation = f"{group}/providers/Microsoft.Security/automations/LightkeeperDefenderForCloudExport"
    await until(lambda: _rule(quiet, workspace), bool)
    await until(lambda: _automation(quiet, automation), bool)
    await _calm(quiet, tenant)
    return tenant, workspace, automation


async def _rule(system: System, workspace: str) -> dict[str, Any]:
    exports = (await system.azure.state())["exports"]
    found: dict[str, Any] = exports.get(workspace.lower(), {}).get(_RULE, {})
    return found


async def _automation(system: System, automation: str) -> dict[str, Any]:
    automations = (await system.azure.state())["automations"]
    found: dict[str, Any] = automations.get(automation.lower(), {}).get("properties", {})
    return found


async def test_an_export_rule_is_whole_again_within_seconds(
    quiet: System, exporting: tuple[Tenant, str, str]
) -> None:
    tenant, workspace, _ = exporting
    wanted = await _rule(quiet, workspace)

    async def mended() -> float:
        await quiet.azure.flush_capture()
        begun = time.monotonic()
        await until(lambda: _rule(quiet, workspace), lambda rule: rule == wanted)
        seconds = time.monotonic() - begun
        await _calm(quiet, tenant)
        return seconds

    assert await quiet.azure.delete_export_rule(workspace, _RULE)
    assert await mended() <= _MOST_SECONDS
    await quiet.azure.change_export_rule(workspace, _RULE, enabled=False, tables=["AuditLogs"])
    assert await mended() <= _MOST_SECONDS


async def test_an_alert_export_is_whole_again_within_seconds(
    quiet: System, exporting: tuple[Tenant, str, str]
) -> None:
    tenant, _, automation = exporting
    wanted = await _automation(quiet, automation)

    async def mended() -> float:
        await quiet.azure.flush_capture()
        begun = time.monotonic()
        await until(lambda: _automation(quiet, automation), lambda found: found == wanted)
        seconds = time.monotonic() - begun
        await _calm(quiet, tenant)
        return seconds

    assert await quiet.azure.delete_automation(automation)
    assert await mended() <= _MOST_SECONDS
    await quiet.azure.change_automation(automation, isEnabled=False)
    assert await mended() <= _MOST_SECONDS
