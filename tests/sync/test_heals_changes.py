"""Resources and subscriptions come, go and move, and coverage follows; what others set up stays as it is."""

from collections.abc import AsyncIterator

import pytest

from shared.model.problem import Problem
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage
from tests.helpers.lab import Lab
from tests.helpers.standing import AWAY, HOME, ROLES, RULE, SETTING, Standing, stand
from tests.helpers.swift_lab import open_swift_lab


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """Without sockets: these tests take many cycles."""
    async with open_swift_lab() as opened:
        yield opened


def _namespace_of(standing: Standing, scope: str) -> str:
    """The namespace that our setting on a scope sends to; empty if there is no setting."""
    setting = standing.lab.world.setting(scope, SETTING)
    return setting.rule_id.split("/")[8] if setting is not None else ""


async def _coverage(standing: Standing, key: str) -> Coverage:
    return (await standing.coverages())[key.lower()]


async def test_a_vault_that_moves_to_another_region_sends_to_the_hub_there(lab: Lab) -> None:
    standing = await stand(lab)
    foreign = standing.foreign()

    standing.hands.move_to_region(standing.vault, "uksouth")
    await standing.sweep()
    assert _namespace_of(standing, standing.vault) == AWAY
    await standing.assert_whole()

    standing.hands.move_to_region(standing.vault, "eastus")
    await standing.sweep()
    assert _namespace_of(standing, standing.vault) == "lightkeeper-eastus-1"
    hub = lab.world.hub("lightkeeper-eastus-1", "contoso")
    assert hub is not None
    assert hub.captures
    await standing.assert_whole()
    standing.assert_foreign_untouched(foreign)


async def test_a_vault_that_is_deleted_and_made_anew_is_covered_again(lab: Lab) -> None:
    standing = await stand(lab)
    foreign, whole = standing.foreign(), standing.picture()

    standing.hands.delete_resource(standing.vault)
    await standing.sweep()
    assert await _coverage(standing, standing.vault) is not Coverage.GONE
    await standing.sweep()
    await standing.sweep()
    assert await _coverage(standing, standing.vault) is Coverage.GONE
    assert await standing.problems() == []
    assert standing.picture() == whole  # settings outlive their resource, and are not ours to clear away

    standing.hands.write_resource(standing.vault, "westeurope")
    standing.hands.delete_setting(standing.vault, SETTING)
    await standing.sweep()
    assert standing.picture() == whole
    await standing.assert_whole()
    standing.assert_foreign_untouched(foreign)


async def test_a_vault_and_a_subscription_that_are_new_are_covered(lab: Lab) -> None:
    standing = await stand(lab)
    foreign, whole = standing.foreign(), standing.picture()
    second = standing.customer.delegated[1]
    vault = standing.hands.add_vault(standing.subscription_id, "rg-app", "newer", "uksouth")
    standing.hands.withdraw(second)
    for _ in range(3):
        await lab.cycle()
    assert await _coverage(standing, vault) is Coverage.CONFIGURED
    assert await _coverage(standing, second) is Coverage.GONE

    lab.world.settings[f"/subscriptions/{second}"].clear()
    standing.hands.delegate(second, roles=list(ROLES))
    other = standing.hands.add_vault(second, "rg-app", "newest", "uksouth")
    await lab.cycle()
    assert (_namespace_of(standing, vault), _namespace_of(standing, other)) == (AWAY, AWAY)
    assert _namespace_of(standing, f"/subscriptions/{second}") == HOME
    assert {key: value for key, value in standing.picture().items() if key in whole} == whole
    await standing.assert_whole()
    standing.assert_foreign_untouched(foreign)


async def test_a_withdrawn_delegation_is_reported_and_nothing_deleted_until_it_returns(lab: Lab) -> None:
    standing = await stand(lab)
    foreign, whole = standing.foreign(), standing.picture()
    here = standing.subscription_id

    standing.hands.withdraw(here)
    for _ in range(3):
        await standing.sweep()

    assert await _coverage(standing, here) is Coverage.GONE
    assert _reasons(await standing.problems())[here] == {Reason.NOT_DELEGATED}
    assert standing.picture() == whole
    assert [kind for kind in lab.azure.counts.by_kind if kind.startswith("DELETE")] == []

    lab.world.settings[standing.scope.lower()].pop(SETTING.lower())
    lab.world.settings[standing.vault.lower()].pop(SETTING.lower())
    lab.world.exports[standing.workspace.lower()].pop(RULE.lower())
    lab.world.automations.pop(standing.automation.lower())
    standing.hands.delegate(here, roles=list(ROLES))
    await standing.sweep()

    assert standing.picture() == whole
    await standing.assert_whole()
    standing.assert_foreign_untouched(foreign)


async def test_a_subscription_that_is_disabled_is_left_alone_and_covered_once_it_is_enabled(
    lab: Lab,
) -> None:
    standing = await stand(lab)
    foreign, whole = standing.foreign(), standing.picture()
    here = standing.subscription_id
    lab.world.change_subscription(here, state="Disabled")
    lab.world.settings[standing.vault.lower()].pop(SETTING.lower())
    lab.world.automations.pop(standing.automation.lower())
    broken = standing.picture()

    await standing.sweep()
    await standing.sweep()

    assert await _coverage(standing, here) is Coverage.EXCLUDED
    assert _reasons(await standing.problems())[here] == {Reason.SUBSCRIPTION_DISABLED}
    assert standing.picture() == broken

    lab.world.change_subscription(here, state="Enabled")
    await standing.sweep()

    assert standing.picture() == whole
    await standing.assert_whole()
    standing.assert_foreign_untouched(foreign)


async def test_a_namespace_that_is_deleted_is_made_anew_with_its_hubs(lab: Lab) -> None:
    standing = await stand(lab)
    whole = standing.picture()
    standing.hands.delete_namespace(AWAY)

    await standing.sweep()
    await standing.sweep()

    assert standing.picture() == whole
    await standing.assert_whole()


def _reasons(problems: list[Problem]) -> dict[str, set[Reason]]:
    found: dict[str, set[Reason]] = {}
    for problem in problems:
        found.setdefault(problem.where, set()).add(problem.reason)
    return found
