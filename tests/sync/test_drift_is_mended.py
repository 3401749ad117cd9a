"""What somebody changed in Azure is found by the sweep and mended; what is not ours stays untouched."""

import json
from dataclasses import dataclass

import pytest

from local.azure.estate import Customer, add_customer
from local.azure.http import Request, Response
from local.azure.world import Setting
from shared.model.diagnostics import ACTIVITY_LOG_CATEGORIES
from shared.model.integration import Integration
from shared.model.jobs import Step
from shared.model.upkeep import Coverage
from tests.helpers.facts import GROUP, PROVIDER_SUBSCRIPTION
from tests.helpers.lab import Lab

_SWEEP = 3601
_NAME = "Lightkeeper-Logs"


@dataclass
class _Standing:
    """A lab with one customer whose single subscription is configured."""

    lab: Lab
    customer: Customer
    integration: Integration

    @property
    def subscription_id(self) -> str:
        return self.customer.delegated[0]

    @property
    def scope(self) -> str:
        return f"/subscriptions/{self.subscription_id}"

    @property
    def setting(self) -> Setting | None:
        return self.lab.world.setting(self.scope, _NAME)

    def change(self, **properties: object) -> None:
        """Somebody edits our setting in the portal."""
        setting = self.setting
        assert setting is not None
        changed = {**setting.properties, **properties}
        logs = changed["logs"]
        enabled = frozenset(log["category"] for log in logs if log["enabled"])
        self.lab.world.settings[self.scope][_NAME.lower()] = Setting(_NAME, changed, enabled)

    def delete(self) -> None:
        del self.lab.world.settings[self.scope][_NAME.lower()]

    async def sweep(self) -> None:
        await self.lab.cycle(seconds=_SWEEP)

    async def assert_mended(self) -> None:
        setting = self.setting
        assert setting is not None
        assert (setting.hub, setting.enabled) == ("contoso", ACTIVITY_LOG_CATEGORIES)
        assert (
            "/namespaces/lightkeeper-westeurope-1/authorizationrules/diagnostics" in setting.rule_id.lower()
        )
        row = await self.lab.row(self.integration, self.subscription_id)
        assert row.upkeep.coverage is Coverage.CONFIGURED
        assert row.upkeep.verified_at is not None


@pytest.fixture
async def standing(lab: Lab) -> _Standing:
    customer = add_customer(lab.world, "contoso", 1)
    integration = await lab.integrate("contoso", customer.tenant_id)
    await lab.cycle()
    found = _Standing(lab, customer, integration)
    await found.assert_mended()
    return found


async def test_a_setting_that_was_deleted_comes_back(standing: _Standing) -> None:
    standing.delete()
    await standing.sweep()
    await standing.assert_mended()


async def test_a_setting_that_points_to_another_hub_is_put_right(standing: _Standing) -> None:
    standing.change(eventHubName="theirs")
    await standing.sweep()
    await standing.assert_mended()


async def test_a_category_that_was_switched_off_is_switched_on(standing: _Standing) -> None:
    logs = [{"category": name, "enabled": name != "Security"} for name in sorted(ACTIVITY_LOG_CATEGORIES)]
    standing.change(logs=logs)
    await standing.sweep()
    await standing.assert_mended()


async def test_a_category_that_was_left_out_comes_back(standing: _Standing) -> None:
    logs = [{"category": name, "enabled": True} for name in sorted(ACTIVITY_LOG_CATEGORIES)[1:]]
    standing.change(logs=logs)
    await standing.sweep()
    await standing.assert_mended()


async def test_a_mended_setting_costs_one_write(standing: _Standing) -> None:
    standing.delete()
    writes = standing.lab.writes()
    await standing.sweep()
    assert standing.lab.writes() == writes + 1


async def test_a_sweep_that_finds_nothing_writes_nothing_and_dates_the_row(standing: _Standing) -> None:
    before = await standing.lab.row(standing.integration, standing.subscription_id)
    writes = standing.lab.writes()

    await standing.sweep()

    after = await standing.lab.row(standing.integration, standing.subscription_id)
    assert standing.lab.writes() == writes
    assert before.upkeep.verified_at is not None
    assert after.upkeep.verified_at is not None
    assert after.upkeep.verified_at > before.upkeep.verified_at


async def test_between_sweeps_nothing_is_asked_of_azure(standing: _Standing) -> None:
    standing.delete()
    await standing.lab.cycle(Step.SUBSCRIPTION_SETTINGS)
    assert standing.setting is None


async def test_settings_of_others_are_never_touched(standing: _Standing) -> None:
    theirs = Setting(
        "theirs",
        {"workspaceId": "/w", "logs": [{"category": "Administrative", "enabled": True}]},
        frozenset({"Administrative"}),
    )
    standing.lab.world.settings[standing.scope]["theirs"] = theirs
    standing.delete()

    await standing.sweep()

    await standing.assert_mended()
    assert standing.lab.world.setting(standing.scope, "theirs") is theirs


async def test_what_the_customer_added_to_our_setting_survives_its_repair(standing: _Standing) -> None:
    added = {"workspaceId": "/w", "storageAccountId": "/a", "marketplacePartnerId": "/p"}
    standing.change(**added, eventHubName="theirs")
    calls = standing.lab.calls("/diagnosticSettings/")

    await standing.sweep()

    await standing.assert_mended()
    setting = standing.setting
    assert setting is not None
    assert {key: setting.properties.get(key) for key in added} == added
    assert standing.lab.calls("/diagnosticSettings/") == calls + 3, "found, written, and read back"


async def test_what_was_added_survives_a_repair_that_azure_refused_at_first(standing: _Standing) -> None:
    standing.change(workspaceId="/w", eventHubName="theirs")
    providers = standing.lab.world.subscriptions[standing.subscription_id].providers
    standing.lab.world.change_subscription(standing.subscription_id, providers=frozenset())
    await standing.sweep()
    row = await standing.lab.row(standing.integration, standing.subscription_id)
    assert row.upkeep.coverage is Coverage.BLOCKED

    standing.lab.world.change_subscription(standing.subscription_id, providers=providers)
    await standing.lab.cycle()

    await standing.assert_mended()
    setting = standing.setting
    assert setting is not None
    assert setting.properties.get("workspaceId") == "/w"


async def test_a_setting_named_in_another_case_is_ours_too(standing: _Standing) -> None:
    setting = standing.setting
    assert setting is not None
    shouted = Setting(_NAME.upper(), setting.properties, setting.enabled)
    standing.lab.world.settings[standing.scope][_NAME.lower()] = shouted
    writes = standing.lab.writes()
    await standing.sweep()
    assert standing.lab.writes() == writes


def _call(lab: Lab, method: str, path: str, value: dict[str, object] | None = None) -> Response:
    """A call of somebody in the provider's team, past the app."""
    token, _ = lab.azure.identity.issue(lab.world.app)
    url = (
        f"http://azure/subscriptions/{PROVIDER_SUBSCRIPTION}/resourceGroups/{GROUP}/providers"
        f"/Microsoft.EventHub/namespaces/lightkeeper-westeurope-1{path}?api-version=2026-01-01"
    )
    body = json.dumps(value).encode() if value is not None else b""
    return lab.azure.handle(Request(method, url, {"authorization": f"Bearer {token}"}, body))


async def test_a_hub_whose_capture_was_switched_off_captures_again(standing: _Standing) -> None:
    lab = standing.lab
    hub = lab.world.hub("lightkeeper-westeurope-1", "contoso")
    assert hub is not None
    assert hub.capture is not None
    off = {"partitionCount": 4, "captureDescription": {**hub.capture, "enabled": False}}
    assert _call(lab, "PUT", "/eventhubs/contoso", {"properties": off}).ok
    hub = lab.world.hub("lightkeeper-westeurope-1", "contoso")
    assert hub is not None
    assert not hub.captures

    await standing.sweep()

    hub = lab.world.hub("lightkeeper-westeurope-1", "contoso")
    assert hub is not None
    assert hub.captures


async def test_a_hub_that_was_deleted_comes_back(standing: _Standing) -> None:
    assert _call(standing.lab, "DELETE", "/eventhubs/contoso").ok
    await standing.sweep()
    hub = standing.lab.world.hub("lightkeeper-westeurope-1", "contoso")
    assert hub is not None
    assert hub.captures


async def test_a_rule_that_was_deleted_comes_back(standing: _Standing) -> None:
    assert _call(standing.lab, "DELETE", "/authorizationRules/diagnostics").ok
    await standing.sweep()
    assert "diagnostics" in {rule.name for rule in standing.lab.world.rules_of("lightkeeper-westeurope-1")}


async def test_hubs_and_rules_of_others_in_our_namespace_stay(standing: _Standing) -> None:
    lab = standing.lab
    assert _call(lab, "PUT", "/eventhubs/theirs", {"properties": {"partitionCount": 1}}).ok
    writes = lab.writes()
    await standing.sweep()
    assert lab.world.hub("lightkeeper-westeurope-1", "theirs") is not None
    assert lab.writes() == writes
