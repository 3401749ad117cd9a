"""What the API answers, over real tables: bodies, problem details, counts that add up."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.azure.estate import add_customer
from shared.model.answers import JSON, PROBLEM, Answer
from shared.model.reasons import EXPLANATIONS, Reason
from shared.onboarding.request import MOST_BYTES
from tests.helpers.facts import CUSTOMER_TENANT, OTHER_TENANT, PROVIDER_TENANT, a_guid
from tests.helpers.lab import Lab

_ORIGIN = "https://lightkeeper.example"
_LEAST = {"customer": "contoso", "tenantId": CUSTOMER_TENANT}


def _value(answer: Answer) -> dict[str, Any]:
    answer.body.encode()  # what cannot be encoded cannot be sent
    value: dict[str, Any] = json.loads(answer.body)
    return value


async def _register(lab: Lab, **fields: object) -> dict[str, Any]:
    answer = await lab.api.register(json.dumps(_LEAST | fields).encode(), _ORIGIN)
    assert answer.status == 201, answer.body
    return _value(answer)


def _assert_problem(answer: Answer, status: int) -> Mapping[str, Any]:
    """The answer is problem details as in RFC 9457."""
    assert (answer.status, answer.content_type) == (status, PROBLEM)
    value = _value(answer)
    assert value["status"] == status
    assert value["title"]
    assert value["detail"]
    return value


async def test_a_registration_answers_with_the_integration_and_what_to_run(lab: Lab) -> None:
    answer = await lab.api.register(json.dumps(_LEAST).encode(), _ORIGIN)

    value = _value(answer)
    assert (answer.status, answer.content_type) == (201, JSON)
    assert answer.headers["Location"] == f"/api/integrations/{value['id']}"
    assert (value["customer"], value["tenantId"], value["status"]) == (
        "contoso",
        CUSTOMER_TENANT,
        "provisioning",
    )
    assert value["onboarding"]["command"].startswith("az deployment mg create")
    assert value["onboarding"]["template"].startswith(
        f"{_ORIGIN}/api/integrations/{value['id']}/onboarding.bicep?"
    )
    assert value["createdAt"].endswith("Z")


async def test_a_bad_request_names_every_wrong_field(lab: Lab) -> None:
    answer = await lab.api.register(b'{"customer": "X", "subscriptionCap": 0, "colour": "blue"}', _ORIGIN)
    problem = _assert_problem(answer, 400)
    wrong = {error["field"] for error in problem["errors"]}
    assert wrong == {"customer", "tenantId", "subscriptionCap", "colour"}
    assert all(error["detail"] for error in problem["errors"])


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"[]", b"\xff", b"x" * (MOST_BYTES + 1), b"[" * 50_000, b'{"\\ud800": 1}'],
    ids=["empty", "text", "array", "bytes", "large", "deep", "surrogate"],
)
async def test_a_body_that_cannot_be_read_is_a_bad_request(lab: Lab, body: bytes) -> None:
    _assert_problem(await lab.api.register(body, _ORIGIN), 400)


async def test_our_own_tenant_is_a_bad_request(lab: Lab) -> None:
    answer = await lab.api.register(json.dumps(_LEAST | {"tenantId": PROVIDER_TENANT}).encode(), _ORIGIN)
    problem = _assert_problem(answer, 400)
    assert [error["field"] for error in problem["errors"]] == ["tenantId"]


@pytest.mark.parametrize(
    ("again", "field"),
    [
        ({}, "customer"),
        ({"tenantId": OTHER_TENANT}, "customer"),
        ({"customer": "fabrikam"}, "tenantId"),
        ({"customer": "fabrikam", "tenantId": CUSTOMER_TENANT.upper()}, "tenantId"),
    ],
)
async def test_registering_twice_is_a_conflict(lab: Lab, again: dict[str, str], field: str) -> None:
    await _register(lab)
    answer = await lab.api.register(json.dumps(_LEAST | again).encode(), _ORIGIN)
    assert _assert_problem(answer, 409)["field"] == field


async def test_all_integrations_are_listed(lab: Lab) -> None:
    assert _value(await lab.api.integrations()) == {"integrations": []}
    first = await _register(lab)
    second = await _register(lab, customer="fabrikam", tenantId=OTHER_TENANT)
    listed = _value(await lab.api.integrations())["integrations"]
    assert [each["id"] for each in listed] == [first["id"], second["id"]]


@pytest.mark.parametrize(
    "integration_id", [a_guid(404), "", "contoso", "customer~contoso", "../x", "x" * 2000]
)
async def test_an_integration_that_is_not_there_is_not_found(lab: Lab, integration_id: str) -> None:
    await _register(lab)
    _assert_problem(await lab.api.integration(integration_id), 404)
    _assert_problem(await lab.api.subscriptions(integration_id), 404)


async def test_an_id_in_another_case_is_the_same_id(lab: Lab) -> None:
    value = await _register(lab)
    assert _value(await lab.api.integration(value["id"].upper()))["id"] == value["id"]


async def test_a_new_integration_has_nothing_to_show_yet(lab: Lab) -> None:
    value = await _register(lab)
    shown = _value(await lab.api.integration(value["id"]))
    assert shown["counts"]["subscriptions"]["total"] == 0
    assert (shown["hubs"], shown["problems"]) == ([], [])


async def test_an_integration_shows_how_far_its_subscriptions_are_and_why_not(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 6, disabled=1)
    bad = min(contoso.delegated)  # of those seen at once, the first by their IDs are within the cap
    lab.world.change_subscription(bad, providers=frozenset())
    value = await _register(lab, tenantId=contoso.tenant_id, subscriptionCap=5)
    await lab.cycle()

    shown = _value(await lab.api.integration(value["id"]))

    counts = shown["counts"]["subscriptions"]
    reasons = counts.pop("reasons")
    total = counts.pop("total")
    assert shown["status"] == "active"
    assert total == sum(counts.values()) == 6
    assert counts["configured"] + sum(reasons.values()) == total
    assert set(reasons) == {problem["reason"] for problem in shown["problems"]}
    assert {hub["state"] for hub in shown["hubs"]} == {"ready"}
    not_registered = next(p for p in shown["problems"] if p["reason"] == Reason.PROVIDER_NOT_REGISTERED.value)
    assert not_registered["where"] == bad
    assert not_registered["remedy"] == EXPLANATIONS[Reason.PROVIDER_NOT_REGISTERED].remedy
    assert not_registered["since"].endswith("Z")


async def test_each_subscription_is_shown_with_its_one_reason(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 3, disabled=1)
    value = await _register(lab, tenantId=contoso.tenant_id)
    await lab.cycle()

    shown = _value(await lab.api.subscriptions(value["id"]))["subscriptions"]

    assert [each["displayName"] for each in shown] == ["contoso-0001", "contoso-0002", "contoso-0003"]
    for each in shown:
        configured = each["coverage"] == "configured"
        assert (each["reason"] is None) == configured
        assert ("remedy" in each) != configured
        assert (each["verifiedAt"] is not None) == configured


async def test_one_customer_sees_nothing_of_another(lab: Lab) -> None:
    contoso, fabrikam = add_customer(lab.world, "contoso", 2), add_customer(lab.world, "fabrikam", 3)
    value = await _register(lab, tenantId=contoso.tenant_id)
    await _register(lab, customer="fabrikam", tenantId=fabrikam.tenant_id)
    await lab.cycle()

    shown = (await lab.api.integration(value["id"])).body + (await lab.api.subscriptions(value["id"])).body

    assert "fabrikam" not in shown
    assert fabrikam.tenant_id not in shown
    assert not [each for each in fabrikam.delegated if each in shown]


async def test_a_name_that_is_no_proper_text_can_be_shown(lab: Lab) -> None:
    contoso = add_customer(lab.world, "contoso", 1)
    lab.world.change_subscription(contoso.delegated[0], name="broken \ud800 name")
    value = await _register(lab, tenantId=contoso.tenant_id)
    await lab.list_subscriptions()
    (shown,) = _value(await lab.api.subscriptions(value["id"]))["subscriptions"]
    assert shown["displayName"].startswith("broken")


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=100))
async def test_whatever_is_posted_the_answer_is_a_refusal_that_can_be_sent(lab: Lab, body: bytes) -> None:
    _assert_problem(await lab.api.register(body, _ORIGIN), 400)
