"""The key of an alert export, which Azure never shows: given again until Azure has taken it."""

from dataclasses import replace

import pytest

from local.azure.automations import may_send
from shared.model.jobs import Step
from shared.model.upkeep import Coverage
from tests.helpers.standing import HOME, Standing, stand
from tests.helpers.swift_lab import open_swift_lab


@pytest.fixture
async def standing():  # noqa: ANN201 - an async generator of `Standing`
    async with open_swift_lab() as lab:
        yield await stand(lab)


def _rotate(standing: Standing) -> None:
    """Somebody gives our namespace's rule new keys."""
    rules = standing.lab.world.rules
    fresh = standing.lab.world.guid()
    rules[HOME, "diagnostics"] = replace(rules[HOME, "diagnostics"], primary_key=fresh, secondary_key=fresh)


def _sends(standing: Standing) -> bool:
    automation = standing.lab.world.automations[standing.automation.lower()]
    return may_send(standing.lab.world, automation.properties["actions"][0])


async def test_another_key_is_handed_on(standing: Standing) -> None:
    _rotate(standing)
    assert not _sends(standing)
    await standing.lab.cycle(Step.ALERT_EXPORTS)
    assert _sends(standing)


async def test_a_key_that_azure_refused_is_not_taken_for_given(standing: Standing) -> None:
    _rotate(standing)
    standing.hands.set_provider(standing.subscription_id, "microsoft.security", registered=False)
    await standing.lab.cycle(Step.ALERT_EXPORTS)
    exports = await standing.lab.context.alert_exports.list(standing.integration.id)
    assert exports[standing.subscription_id].upkeep.coverage is Coverage.BLOCKED

    standing.hands.set_provider(standing.subscription_id, "microsoft.security", registered=True)
    await standing.lab.cycle(Step.ALERT_EXPORTS)

    assert _sends(standing)
    await standing.assert_whole()
