"""The customer's side: what the offer deploys, and what becomes of it in the simulated Azure."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local.azure.estate import Customer, add_customer
from local.azure.policy import Policies
from local.azure.roles import (
    LOG_ANALYTICS_CONTRIBUTOR,
    READER,
    SECURITY_ADMIN,
    RoleDefinition,
)
from shared.model.integration import Integration
from shared.model.reasons import Reason
from shared.model.upkeep import Coverage
from shared.onboarding.offer import MANAGEMENT_GROUP, SUBSCRIPTION, Offer, filled
from tests.helpers.facts import PROVIDER_TENANT, a_guid, a_role, an_integration, settings
from tests.helpers.lab import Lab
from tests.helpers.standing import ALL_STEPS
from tests.helpers.swift_lab import open_swift_lab
from tests.infra.evaluate import INFRA, Deployed, deploy

_OWNER, _CONTRIBUTOR = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c"
_ALL = (READER, LOG_ANALYTICS_CONTRIBUTOR, SECURITY_ADMIN)


def _offered(
    folder: Path, *roles: RoleDefinition, principal: str = a_guid(1), **parameters: object
) -> Deployed:
    """What the customer deploys, from the very file that it is served."""
    offer = Offer(
        PROVIDER_TENANT, principal, "Lightkeeper", tuple(a_role(each.name, id=each.guid) for each in roles)
    )
    path = folder / f"{len(list(folder.iterdir()))}-{MANAGEMENT_GROUP}"
    path.write_text(filled(MANAGEMENT_GROUP, (INFRA / "customer" / MANAGEMENT_GROUP).read_text(), offer))
    return deploy(path, parameters)


def _rules(deployed: Deployed) -> dict[str, Any]:
    """Policy rules by the display names of their policies."""
    return {
        each.body["properties"]["displayName"]: each.body["properties"]["policyRule"]
        for each in deployed.of("Microsoft.Authorization/policyDefinitions")
    }


def _offer_id(deployed: Deployed) -> str:
    rule = _rules(deployed)["Lightkeeper Azure Log Ingest"]
    definition = rule["then"]["details"]["deployment"]["properties"]["template"]["resources"][0]
    return str(definition["name"])


def test_the_defaults_of_both_files_are_those_of_the_app() -> None:
    given = {"providerTenantId": PROVIDER_TENANT, "principalId": a_guid(1)}
    group = deploy(INFRA / "customer" / MANAGEMENT_GROUP, given)
    one = deploy(INFRA / "customer" / SUBSCRIPTION, given)
    (definition,) = one.of("Microsoft.ManagedServices/registrationDefinitions")
    asked = [each["roleDefinitionId"] for each in definition.body["properties"]["authorizations"]]
    assert tuple(asked) == settings().offer_roles == tuple(role.guid for role in _ALL)
    assert definition.name == _offer_id(group), "a policy that comes later finds the subscription delegated"
    template = _rules(group)["Lightkeeper Azure Log Ingest"]["then"]["details"]["deployment"]["properties"][
        "template"
    ]
    assert template["resources"][0]["properties"] == definition.body["properties"]


def test_another_role_or_identity_is_another_version(tmp_path: Path) -> None:
    offers = [
        _offered(tmp_path, *_ALL),
        _offered(tmp_path, *_ALL),
        _offered(tmp_path, READER),
        _offered(tmp_path, *_ALL, principal=a_guid(2)),
    ]
    first, again, fewer, other = (_offer_id(each) for each in offers)
    assert first == again
    assert len({first, fewer, other}) == 3
    for each in offers:
        details = _rules(each)["Lightkeeper Azure Log Ingest"]["then"]["details"]
        assert details["existenceCondition"]["like"].endswith(_offer_id(each))


def test_two_policies_are_assigned_with_an_identity_a_role_and_a_remediation_each(tmp_path: Path) -> None:
    deployed = _offered(tmp_path, *_ALL, excluded=["/subscriptions/x"])
    assert set(_rules(deployed)) == {"Lightkeeper Azure Log Ingest", "Lightkeeper Automation Resource Group"}
    assignments = deployed.of("Microsoft.Authorization/policyAssignments")
    definitions = {each.id for each in deployed.of("Microsoft.Authorization/policyDefinitions")}
    assert {each.body["properties"]["policyDefinitionId"] for each in assignments} == definitions
    for each in assignments:
        assert len(each.name) <= 24, "Azure allows no longer name in a management group"
        assert each.body["identity"] == {"type": "SystemAssigned"}
        assert each.body["properties"]["notScopes"] == ["/subscriptions/x"]
    roles = {
        str(each.body["properties"]["principalId"]): each.body["properties"]["roleDefinitionId"].rpartition(
            "/"
        )[2]
        for each in deployed.of("Microsoft.Authorization/roleAssignments")
    }
    assert roles == {
        "<logIngest.identity.principalId>": _OWNER,
        "<automation.identity.principalId>": _CONTRIBUTOR,
    }
    remediations = deployed.of("Microsoft.PolicyInsights/remediations")
    assert {each.body["properties"]["policyAssignmentId"] for each in remediations} == {
        each.id for each in assignments
    }


def test_a_policys_identity_has_the_role_that_the_policy_names(tmp_path: Path) -> None:
    for title, role in (
        ("Lightkeeper Azure Log Ingest", _OWNER),
        ("Lightkeeper Automation Resource Group", _CONTRIBUTOR),
    ):
        details = _rules(_offered(tmp_path, *_ALL))[title]["then"]["details"]
        assert details["roleDefinitionIds"] == [f"/providers/Microsoft.Authorization/roleDefinitions/{role}"]


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """A lab in which every step runs."""
    async with open_swift_lab() as opened:
        opened.steps = ALL_STEPS
        opened.world.namespace_seconds = 0.0
        yield opened


async def _customer(lab: Lab, subscriptions: int, **more: int) -> tuple[Customer, Integration]:
    customer = add_customer(lab.world, "contoso", subscriptions, not_delegated=subscriptions, **more)
    integration = an_integration(tenant_id=customer.tenant_id, created_at=lab.world.clock.now())
    await lab.context.integrations.register(integration)
    return customer, integration


def _assign(policies: Policies, tenant_id: str, deployed: Deployed) -> None:
    """What Azure Resource Manager makes of the deployment."""
    definitions = {each.id: each for each in deployed.of("Microsoft.Authorization/policyDefinitions")}
    for each in deployed.of("Microsoft.Authorization/policyAssignments"):
        properties = each.body["properties"]
        rule = definitions[properties["policyDefinitionId"]].body["properties"]["policyRule"]
        policies.assign(each.name, tenant_id, rule, properties["notScopes"])


def _offered_here(lab: Lab, folder: Path, *roles: RoleDefinition, **parameters: object) -> Deployed:
    return _offered(folder, *roles, principal=lab.world.app.object_id, **parameters)


async def test_subscriptions_become_delegated_over_time_and_are_then_configured(
    lab: Lab, tmp_path: Path
) -> None:
    customer, integration = await _customer(lab, 5)
    left_out, *others = customer.subscriptions
    policies = Policies(lab.azure)
    _assign(
        policies,
        customer.tenant_id,
        _offered_here(lab, tmp_path, *_ALL, excluded=[f"/subscriptions/{left_out}"]),
    )

    seen = []
    while policies.remediate(most=3):
        await lab.cycle()
        seen.append(len(await lab.coverages(integration)))

    assert seen == sorted(seen)
    assert seen[0] < len(others)
    assert await lab.coverages(integration) == dict.fromkeys(others, Coverage.CONFIGURED)
    assert await lab.problems(integration) == []
    exports = await lab.context.alert_exports.list(integration.id)
    assert {key: each.upkeep.coverage for key, each in exports.items()} == dict.fromkeys(
        others, Coverage.CONFIGURED
    )


async def test_a_subscription_that_comes_later_is_delegated_too(lab: Lab, tmp_path: Path) -> None:
    customer, integration = await _customer(lab, 1)
    policies = Policies(lab.azure)
    _assign(policies, customer.tenant_id, _offered_here(lab, tmp_path, *_ALL))
    policies.remediate(most=10)
    await lab.cycle()

    later = add_customer(lab.world, "later", 1, tenant_id=customer.tenant_id, not_delegated=1)
    assert policies.remediate(most=10) == 2
    await lab.cycle()

    assert (await lab.coverages(integration))[later.subscriptions[0]] is Coverage.CONFIGURED
    assert policies.remediate(most=10) == 0


async def test_a_new_version_is_rolled_out_to_all(lab: Lab, tmp_path: Path) -> None:
    customer, integration = await _customer(lab, 2)
    policies = Policies(lab.azure)
    _assign(policies, customer.tenant_id, _offered_here(lab, tmp_path, READER, LOG_ANALYTICS_CONTRIBUTOR))
    policies.remediate(most=10)
    await lab.cycle()
    assert {problem.reason for problem in await lab.problems(integration)} == {Reason.ROLE_MISSING}

    _assign(policies, customer.tenant_id, _offered_here(lab, tmp_path, *_ALL))
    assert policies.remediate(most=10) == 2
    await lab.cycle(seconds=7200)

    assert await lab.problems(integration) == []


@pytest.mark.parametrize(
    ("roles", "broken"),
    [
        ((READER, LOG_ANALYTICS_CONTRIBUTOR), {"alerts"}),
        ((READER, SECURITY_ADMIN), {"subscription", "vault"}),
        ((READER,), {"subscription", "vault", "alerts"}),
        (_ALL, set()),
    ],
    ids=["no Security Admin", "no Log Analytics Contributor", "Reader alone", "all"],
)
async def test_with_a_role_missing_exactly_the_documented_problem_appears(
    lab: Lab, tmp_path: Path, roles: tuple[RoleDefinition, ...], broken: set[str]
) -> None:
    customer, integration = await _customer(lab, 1)
    policies = Policies(lab.azure)
    _assign(policies, customer.tenant_id, _offered_here(lab, tmp_path, *roles))
    policies.remediate(most=10)
    await lab.cycle()

    found = {_kind(problem.where): problem.reason for problem in await lab.problems(integration)}
    assert found == dict.fromkeys(broken, Reason.ROLE_MISSING)


def _kind(where: str) -> str:
    if where.endswith(" alerts"):
        return "alerts"
    return "vault" if "/vaults/" in where.lower() else "subscription"


async def test_without_the_second_policy_only_the_alert_export_is_missing(lab: Lab, tmp_path: Path) -> None:
    customer, integration = await _customer(lab, 1)
    policies = Policies(lab.azure)
    rule = _rules(_offered_here(lab, tmp_path, *_ALL))["Lightkeeper Azure Log Ingest"]
    policies.assign("log-ingest", customer.tenant_id, rule)
    policies.remediate(most=10)
    await lab.cycle()
    assert [problem.reason for problem in await lab.problems(integration)] == [
        Reason.AUTOMATION_GROUP_MISSING
    ]
