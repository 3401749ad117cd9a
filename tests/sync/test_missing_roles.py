"""A right that is missing in a customer's tenant shows as the refusal it is, and its problem names the role.

Which rights the app needs there is learnt from its own calls, so a new call without a case fails here.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace

import pytest

from local.azure.app import _ROUTES
from local.azure.roles import (
    LOG_ANALYTICS_CONTRIBUTOR,
    READER,
    ROLES,
    SECURITY_ADMIN,
    RoleDefinition,
)
from local.azure.world import Delegation
from shared.model.integration import IntegrationStatus
from shared.model.jobs import Step
from shared.model.reasons import EXPLANATIONS, Reason
from shared.model.removal import RemovalState
from shared.model.upkeep import Coverage
from tests.helpers.lab import Lab
from tests.helpers.standing import ALL_STEPS, Standing, stand
from tests.helpers.swift_lab import open_swift_lab

_OFFERED = (READER, LOG_ANALYTICS_CONTRIBUTOR, SECURITY_ADMIN)
_SETTINGS = "Microsoft.Insights/diagnosticSettings"
_EXPORTS = "Microsoft.OperationalInsights/workspaces/dataExports"
_AUTOMATIONS = "Microsoft.Security/automations"


@dataclass(frozen=True, slots=True)
class _Case:
    """What the lack of one right stops.

    Attributes:
        action: the right.
        role: that the problem is to name.
        stopped: parts of the places where something is blocked then.
    """

    action: str
    role: RoleDefinition
    stopped: tuple[str, ...]


_KEEPING = (
    _Case(f"{_SETTINGS}/read", LOG_ANALYTICS_CONTRIBUTOR, ("subscription", "vault")),
    _Case(f"{_SETTINGS}/write", LOG_ANALYTICS_CONTRIBUTOR, ("subscription", "vault")),
    _Case(f"{_EXPORTS}/read", LOG_ANALYTICS_CONTRIBUTOR, ("workspace",)),
    _Case(f"{_EXPORTS}/write", LOG_ANALYTICS_CONTRIBUTOR, ("workspace",)),
    _Case("Microsoft.OperationalInsights/workspaces/read", LOG_ANALYTICS_CONTRIBUTOR, ("workspace",)),
    _Case("Microsoft.Resources/subscriptions/resourceGroups/read", SECURITY_ADMIN, ("alerts",)),
    _Case(f"{_AUTOMATIONS}/read", SECURITY_ADMIN, ("alerts",)),
    _Case(f"{_AUTOMATIONS}/write", SECURITY_ADMIN, ("alerts",)),
)
_REMOVING = (
    _Case(f"{_SETTINGS}/delete", LOG_ANALYTICS_CONTRIBUTOR, ("diagnostic",)),
    _Case(f"{_EXPORTS}/delete", LOG_ANALYTICS_CONTRIBUTOR, ("workspace",)),
    _Case(f"{_AUTOMATIONS}/delete", SECURITY_ADMIN, ("automation",)),
)
_LISTING = frozenset({"Microsoft.Resources/subscriptions/read", "{type}/read"})
"""Rights without which subscriptions and resources are not listed: what cannot be seen is gone."""


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """Hubs go at once when they are not needed."""
    async with open_swift_lab(LIGHTKEEPER_DRAIN_SECONDS="0") as opened:
        yield opened


@pytest.fixture
def lacking(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name of a role that allows what the offered ones do, but for the right that the test is about."""
    action = request.param.action
    actions = tuple(action for role in _OFFERED for action in role.actions)
    name = f"All but {action}"
    ROLES[name] = RoleDefinition(name, name, "", actions, (action,))
    yield name
    del ROLES[name]


def _give(standing: Standing, *roles: str) -> None:
    """Let the customer delegate other roles."""
    world = standing.lab.world
    grants = frozenset((world.app.object_id, role) for role in roles)
    for each in standing.customer.delegated:
        world.change_subscription(each, delegations=(Delegation(world.provider_tenant, grants),))


def _remove_all(standing: Standing) -> None:
    """Everything of ours in the customer's tenant is lost, so that all of it has to be written."""
    world = standing.lab.world
    for table in (world.settings, world.exports):
        for named in table.values():
            for name in [name for name in named if name != "theirs"]:
                del named[name]
    for key in [key for key in world.automations if not key.endswith("/theirs")]:
        del world.automations[key]


def _kind(where: str) -> str:
    """What is at a place."""
    if "/vaults/" in where:
        return "vault"
    if "/workspaces/" in where:
        return "workspace"
    return "alerts" if where.endswith(" alerts") else "subscription"


async def _forget_regions(standing: Standing) -> None:
    """As before the workspace was first looked at."""
    context = standing.lab.context
    row = await context.workspaces.read(standing.integration.id, standing.workspace)
    await context.workspaces.save(replace(row.fact, region=""), row.etag)


@pytest.mark.parametrize(
    ("case", "lacking"),
    [pytest.param(case, case, id=case.action) for case in _KEEPING],
    indirect=["lacking"],
)
async def test_a_missing_right_is_a_problem_that_names_the_role_until_it_is_given(
    lab: Lab, case: _Case, lacking: str
) -> None:
    standing = await stand(lab)
    if case.action.endswith("/write"):
        _remove_all(standing)
    if case.action.endswith("/workspaces/read"):
        await _forget_regions(standing)
    _give(standing, lacking)

    await standing.sweep()

    problems = await standing.problems()
    assert {_kind(problem.where) for problem in problems} == set(case.stopped)
    for problem in problems:
        assert problem.reason is Reason.ROLE_MISSING
        assert "403 AuthorizationFailed" in problem.detail
        assert f"perform action '{case.action}'" in problem.detail
        assert f"the role {case.role.name} allows it" in problem.detail
        assert "Lighthouse offer" in EXPLANATIONS[problem.reason].remedy
    blocked = {key for key, each in (await standing.coverages()).items() if each is Coverage.BLOCKED}
    assert len(blocked) == len(problems)

    _give(standing, *(role.name for role in _OFFERED))
    await standing.sweep()
    await standing.assert_whole()


async def _offboard(standing: Standing) -> None:
    context = standing.lab.context
    integration = await context.integrations.read(standing.integration.id)
    assert integration is not None
    leaving = replace(integration.fact, status=IntegrationStatus.OFFBOARDING)
    await context.integrations.save(leaving, integration.etag)
    standing.lab.steps = tuple(Step)
    for _ in range(3):
        await standing.lab.cycle()


@pytest.mark.parametrize(
    ("case", "lacking"),
    [pytest.param(case, case, id=case.action) for case in _REMOVING],
    indirect=["lacking"],
)
async def test_a_missing_right_to_delete_is_told_in_the_report_of_offboarding(
    lab: Lab, case: _Case, lacking: str
) -> None:
    standing = await stand(lab)
    _give(standing, lacking)

    await _offboard(standing)

    removals = [row.fact for row in await lab.context.removals.list(standing.integration.id)]
    left = [removal for removal in removals if removal.state is RemovalState.BLOCKED]
    assert left
    assert all(removal.state is RemovalState.REMOVED for removal in removals if removal not in left)
    for removal in left:
        assert removal.reason is Reason.ROLE_MISSING
        assert f"perform action '{case.action}'" in removal.detail
        assert f"the role {case.role.name} allows it" in removal.detail


async def test_every_right_that_the_app_needs_has_a_case_here(lab: Lab) -> None:
    standing = await stand(lab)
    await standing.sweep()
    assert lab.steps == ALL_STEPS
    await _offboard(standing)

    actions = {route.kind: route.action for route in _ROUTES}
    needed = {action for kind in lab.azure.counts.by_kind if (action := actions.get(kind, ""))}
    ours = {action for action in needed if action.startswith("Microsoft.EventHub/")}
    assert needed - ours - _LISTING == {case.action for case in (*_KEEPING, *_REMOVING)}
