"""A delegation that was withdrawn: everything says so, nothing is touched, and it returns without a write."""

import pytest

from shared.model.integration import Integration
from shared.model.jobs import Step
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage, Upkeep
from tests.helpers.lab import Lab
from tests.helpers.standing import ROLES, SWEEP, Standing, stand
from tests.helpers.swift_lab import open_swift_lab


@pytest.fixture
async def standing():  # noqa: ANN201 - an async generator of `Standing`
    async with open_swift_lab() as lab:
        yield await stand(lab)


async def _upkeeps(lab: Lab, integration: Integration) -> list[Upkeep]:
    """Of everything below the integration's subscriptions."""
    context = lab.context
    resources = [row.fact.upkeep for row in await context.resources.list(integration.id)]
    alerts = [state.upkeep for state in (await context.alert_exports.list(integration.id)).values()]
    workspaces = [each.upkeep for each in await context.workspaces.list_of(integration.id)]
    return [*resources, *alerts, *workspaces]


def _writes(standing: Standing) -> int:
    return standing.lab.calls("PUT ") + standing.lab.calls("DELETE ")


async def _withdraw(standing: Standing) -> None:
    for each in standing.customer.delegated:
        assert standing.hands.withdraw(each)
    for _ in range(4):
        await standing.lab.cycle()


async def test_what_is_below_a_withdrawn_subscription_says_so_and_nothing_is_touched(
    standing: Standing,
) -> None:
    before, writes = standing.picture(), _writes(standing)

    await _withdraw(standing)
    await standing.lab.cycle(seconds=SWEEP)

    upkeeps = await _upkeeps(standing.lab, standing.integration)
    assert len(upkeeps) == 2 + 2 + 1
    assert {(each.coverage, each.reason) for each in upkeeps} == {(Coverage.BLOCKED, Reason.NOT_DELEGATED)}
    assert standing.picture() == before
    assert _writes(standing) == writes
    hubs = {row.fact.state.value for row in await standing.lab.context.hubs.list()}
    assert hubs == {"ready"}, "what is still sent must arrive somewhere"


async def test_the_problem_is_the_subscriptions_alone(standing: Standing) -> None:
    await _withdraw(standing)
    problems = await standing.problems()
    assert {problem.reason for problem in problems} == {Reason.NOT_DELEGATED}
    assert {problem.where for problem in problems} == {*standing.customer.delegated, standing.workspace}


async def test_a_problem_of_its_own_makes_way_for_that_of_the_subscription(standing: Standing) -> None:
    standing.hands.set_provider(standing.subscription_id, "microsoft.insights", registered=False)
    standing.hands.delete_setting(standing.vault, "Lightkeeper-Logs")
    await standing.sweep()
    assert standing.vault.lower() in {problem.where.lower() for problem in await standing.problems()}

    await _withdraw(standing)

    assert standing.vault.lower() not in {problem.where.lower() for problem in await standing.problems()}


async def test_what_returns_is_read_and_confirmed_and_not_written(standing: Standing) -> None:
    await _withdraw(standing)
    writes = _writes(standing)
    for each in standing.customer.delegated:
        standing.hands.delegate(each, roles=list(ROLES))

    for _ in range(2):
        await standing.lab.cycle()

    await standing.assert_whole()
    assert _writes(standing) == writes


async def test_what_was_lost_meanwhile_is_made_anew(standing: Standing) -> None:
    await _withdraw(standing)
    standing.hands.delete_setting(standing.vault, "Lightkeeper-Logs")
    for each in standing.customer.delegated:
        standing.hands.delegate(each, roles=list(ROLES))

    for _ in range(2):
        await standing.lab.cycle()

    await standing.assert_whole()
    assert standing.lab.world.setting(standing.vault, "Lightkeeper-Logs") is not None


async def test_a_disabled_subscription_gives_its_reason_to_what_is_in_it(standing: Standing) -> None:
    standing.lab.world.change_subscription(standing.subscription_id, state="Disabled")
    await standing.lab.cycle()
    await standing.lab.cycle(Step.RESOURCE_SETTINGS, Step.ALERT_EXPORTS)
    rows = [row.fact for row in await standing.lab.context.resources.list(standing.integration.id)]
    assert {row.upkeep.reason for row in rows} == {Reason.SUBSCRIPTION_DISABLED}

    standing.lab.world.change_subscription(standing.subscription_id, state="Enabled")
    for _ in range(2):
        await standing.lab.cycle()
    await standing.assert_whole()
