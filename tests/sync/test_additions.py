"""What customers add to a setting of ours stays theirs, whatever we do to the setting."""

import pytest

from local.azure.world import Setting
from tests.helpers.standing import SETTING, Standing, stand
from tests.helpers.swift_lab import open_swift_lab

_ADDED = {"workspaceId": "/w", "metrics": [{"category": "AllMetrics", "enabled": True}]}


@pytest.fixture
async def standing():  # noqa: ANN201 - an async generator of `Standing`
    async with open_swift_lab() as lab:
        found = await stand(lab)
        setting = _setting(found)
        named = lab.world.settings[found.vault.lower()]
        named[SETTING.lower()] = Setting(SETTING, {**setting.properties, **_ADDED}, setting.enabled)
        yield found


def _setting(standing: Standing) -> Setting:
    setting = standing.lab.world.setting(standing.vault, SETTING)
    assert setting is not None
    return setting


def _assert_added(standing: Standing) -> None:
    properties = _setting(standing).properties
    assert properties.get("workspaceId") == "/w"
    assert [each["category"] for each in properties["metrics"]] == ["AllMetrics"]


async def test_additions_are_no_drift(standing: Standing) -> None:
    writes = standing.lab.calls("PUT ", "/diagnosticSettings/")
    await standing.sweep()
    assert standing.lab.calls("PUT ", "/diagnosticSettings/") == writes
    _assert_added(standing)


async def test_additions_survive_a_move_to_another_region(standing: Standing) -> None:
    standing.hands.move_to_region(standing.vault, "uksouth")
    for _ in range(3):
        await standing.sweep()
    assert "lightkeeper-uksouth-1" in _setting(standing).rule_id
    _assert_added(standing)
    await standing.assert_whole()


async def test_additions_survive_a_delegation_that_was_withdrawn_and_returned(standing: Standing) -> None:
    standing.hands.withdraw(standing.subscription_id)
    for _ in range(4):
        await standing.sweep()
    standing.hands.delegate(
        standing.subscription_id, roles=["Reader", "Log Analytics Contributor", "Security Admin"]
    )
    for _ in range(3):
        await standing.sweep()
    _assert_added(standing)
    await standing.assert_whole()
