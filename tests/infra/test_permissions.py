"""The roles that are asked for are those that the app's calls need."""

from collections.abc import AsyncIterator

import pytest

from local.azure.app import _ROUTES
from local.azure.roles import BY_GUID, LOG_ANALYTICS_CONTRIBUTOR, READER, SECURITY_ADMIN, allows
from shared.arm.role_definitions import get_role
from shared.model.integration import IntegrationStatus
from shared.model.jobs import Step
from shared.portal.commands import Commands
from tests.helpers.facts import GROUP, PROVIDER_SUBSCRIPTION, a_guid, a_role, settings
from tests.helpers.lab import Lab
from tests.helpers.standing import stand
from tests.helpers.swift_lab import open_swift_lab
from tests.infra.evaluate import INFRA, deploy

_PROVIDERS_OWN = ("Microsoft.EventHub/", "Microsoft.Authorization/roleDefinitions/")
"""What the app does in its own subscription; everything else it does in customers' subscriptions."""


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with open_swift_lab(LIGHTKEEPER_DRAIN_SECONDS="0") as opened:
        yield opened


async def _needed(lab: Lab) -> set[str]:
    """The actions for which Azure asked in the life of a customer, from nothing to offboarded."""
    standing = await stand(lab)
    await standing.sweep()
    for role_id in settings().offer_roles:
        scope = f"/subscriptions/{PROVIDER_SUBSCRIPTION}/resourceGroups/{GROUP}"
        await get_role(lab.context.arm, scope, role_id)
    context = lab.context
    commands = Commands(
        integrations=context.integrations,
        claims=context.claims,
        problems=context.problems,
        jobs=context,
        clock=context.clock,
    )
    assert (await commands.offboard(standing.integration.id)).status == 202
    lab.steps = tuple(Step)
    for _ in range(4):
        await lab.cycle()
    found = await context.integrations.get(standing.integration.id)
    assert found is not None
    assert found.status is IntegrationStatus.OFFBOARDED

    actions = {route.kind: route.action for route in _ROUTES}
    return {action for kind in lab.azure.counts.by_kind if (action := actions.get(kind, ""))}


async def test_every_call_is_allowed_and_only_reader_could_be_spared(lab: Lab) -> None:
    needed = {action for action in await _needed(lab) if not action.startswith(_PROVIDERS_OWN)}
    offered = [BY_GUID[guid].name for guid in settings().offer_roles]

    def refused(roles: list[str]) -> set[str]:
        return {action for action in needed if not any(allows(role, action) for role in roles)}

    assert needed >= {
        "Microsoft.Insights/diagnosticSettings/write",
        "Microsoft.OperationalInsights/workspaces/dataExports/write",
        "Microsoft.Security/automations/delete",
    }
    assert refused(offered) == set()
    assert {role: refused([each for each in offered if each != role]) for role in offered} == {
        READER.name: set(),
        LOG_ANALYTICS_CONTRIBUTOR.name: {
            f"Microsoft.{kind}/{verb}"
            for kind in ("Insights/diagnosticSettings", "OperationalInsights/workspaces/dataExports")
            for verb in ("write", "delete")
        },
        SECURITY_ADMIN.name: {f"Microsoft.Security/automations/{verb}" for verb in ("write", "delete")},
    }


async def test_our_own_role_allows_what_the_calls_need_and_nothing_else(lab: Lab) -> None:
    needed = {action for action in await _needed(lab) if action.startswith(_PROVIDERS_OWN)}
    (definition,) = deploy(INFRA / "app/hub-role.bicep", {"principalId": a_guid(1)}).of(
        "Microsoft.Authorization/roleDefinitions"
    )
    (permissions,) = definition.body["properties"]["permissions"]
    granted = {name: a_role(actions=(name,)) for name in permissions["actions"]}

    assert {action for action in needed if not any(role.allows(action) for role in granted.values())} == set()
    idle = {name for name, role in granted.items() if not any(role.allows(action) for action in needed)}
    assert idle == set()
