"""Lighthouse definitions and assignments: one view of the delegations, and a way to change them."""

from typing import Any

import pytest

from local.azure.roles import ROLES
from tests.local.azure.azure_bench import PROVIDER, Bench

_VERSION = "2022-10-01"
_GUID = "11111111-2222-4333-8444-555555555555"


def _place(bench: Bench, kind: str, subscription: str = "") -> str:
    where = subscription or bench.subscription
    return f"/subscriptions/{where}/providers/Microsoft.ManagedServices/{kind}"


def _definition(bench: Bench, *roles: str) -> dict[str, Any]:
    return {
        "properties": {
            "registrationDefinitionName": "Lightkeeper",
            "managedByTenantId": PROVIDER.tenant_id,
            "authorizations": [
                {"principalId": bench.world.app.object_id, "roleDefinitionId": ROLES[role].guid}
                for role in roles
            ],
        }
    }


def test_what_is_delegated_is_listed_with_its_definition(bench: Bench) -> None:
    [assignment] = bench.ask("GET", _place(bench, "registrationAssignments"), _VERSION).json()["value"]
    [definition] = bench.ask("GET", _place(bench, "registrationDefinitions"), _VERSION).json()["value"]
    assert assignment["properties"]["registrationDefinitionId"] == definition["id"]
    assert definition["properties"]["managedByTenantId"] == PROVIDER.tenant_id
    roles = {each["roleDefinitionId"] for each in definition["properties"]["authorizations"]}
    assert roles == {ROLES["Reader"].guid, ROLES["Log Analytics Contributor"].guid}
    for each in (assignment, definition):
        assert bench.ask("GET", each["id"], _VERSION).json()["id"] == each["id"]


def test_other_managers_are_listed_too(bench: Bench) -> None:
    fifth = bench.customer.delegated[4]
    listed = bench.ask("GET", _place(bench, "registrationAssignments", fifth), _VERSION).json()
    assert len(listed["value"]) == 2


def test_what_is_not_there_is_not_found(bench: Bench) -> None:
    for kind in ("registrationAssignments", "registrationDefinitions"):
        assert bench.ask("GET", f"{_place(bench, kind)}/{_GUID}", _VERSION).status == 404


def test_the_customer_delegates_with_a_definition_and_an_assignment(bench: Bench) -> None:
    subscription = bench.customer.not_delegated[0]
    definition = f"{_place(bench, 'registrationDefinitions', subscription)}/{_GUID}"
    assignment = f"{_place(bench, 'registrationAssignments', subscription)}/{_GUID}"
    bench.hands.act("PUT", definition, _definition(bench, "Reader"))
    answer = bench.hands.act(
        "PUT", assignment, {"properties": {"registrationDefinitionId": definition.lstrip("/")}}
    )
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (201, "Accepted")
    status = answer.headers["Azure-AsyncOperation"].partition("azure.com")[2]
    assert bench.call("GET", status).json() == {"status": "Succeeded"}
    [delegation] = bench.world.subscriptions[subscription].delegations
    assert delegation.grants == {(bench.world.app.object_id, "Reader")}
    assert bench.ask("GET", assignment, _VERSION).json()["properties"]["provisioningState"] == "Succeeded"
    with pytest.raises(ValueError, match="has an assignment"):
        bench.hands.act("DELETE", definition)


@pytest.mark.parametrize("role", ["Owner", "Azure Event Hubs Data Owner", "User Access Administrator"])
def test_some_roles_cannot_be_delegated(bench: Bench, role: str) -> None:
    path = f"{_place(bench, 'registrationDefinitions')}/{_GUID}"
    with pytest.raises(ValueError, match="InvalidRegistrationDefinition"):
        bench.hands.act("PUT", path, _definition(bench, role))


def test_the_provider_gives_a_delegation_back_only_with_the_role_for_it(bench: Bench) -> None:
    [assignment] = bench.ask("GET", _place(bench, "registrationAssignments"), _VERSION).json()["value"]
    refused = bench.ask("DELETE", assignment["id"], _VERSION)
    assert "Microsoft.ManagedServices/registrationAssignments/delete" in refused.json()["error"]["message"]
    bench.set_roles("Reader", "Managed Services Registration assignment Delete Role")
    [assignment] = bench.ask("GET", _place(bench, "registrationAssignments"), _VERSION).json()["value"]
    answer = bench.ask("DELETE", assignment["id"], _VERSION)
    assert answer.status == 202
    assert "operationStatuses" in answer.headers["Location"]
    listed = bench.ask("GET", _place(bench, "registrationAssignments"), _VERSION)
    assert listed.json()["error"]["code"] == "InvalidAuthenticationTokenTenant"


def test_a_group_is_delegated_at_its_own_scope(bench: Bench) -> None:
    bench.set_roles("Reader", group="contoso-rg")
    place = f"/subscriptions/{bench.subscription}/resourceGroups/contoso-rg"
    path = f"{place}/providers/Microsoft.ManagedServices/registrationAssignments"
    assert len(bench.ask("GET", path, _VERSION).json()["value"]) == 1
    assert bench.hands.act("GET", _place(bench, "registrationAssignments")).json() == {"value": []}
    assert bench.hands.withdraw(bench.subscription)
    assert not bench.hands.withdraw(bench.subscription)
    assert bench.world.subscriptions[bench.subscription].delegations == ()
