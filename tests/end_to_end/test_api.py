"""The API as its users see it: over HTTP, through the Functions host."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.end_to_end.system import Json, Reply, System, a_name

_PROBLEM = "application/problem+json"
_NOBODY = "99999999-2222-4333-8444-555555555555"
_RIGHT = {"customer": "contoso", "tenantId": _NOBODY}
_WORKSPACE = (
    "/subscriptions/11111111-2222-4333-8444-555555555555/resourceGroups/Logs"
    "/providers/Microsoft.OperationalInsights/workspaces/Entra"
)


async def post(system: System, value: object, **more: Any) -> Reply:  # noqa: ANN401 - of `request`
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return await system.request("POST", "api/integrations", body, **more)


def a_request(**fields: object) -> Json:
    return {"customer": a_name(), "tenantId": str(uuid4()), **fields}


def wrong_fields(reply: Reply) -> list[str]:
    return sorted(error["field"] for error in reply.json()["errors"])


async def test_a_registration_is_answered_with_the_integration_and_where_it_is(patient: System) -> None:
    wanted = a_request()

    reply = await post(patient, wanted)

    assert (reply.status, reply.media_type) == (201, "application/json")
    made = reply.json()
    assert reply.headers["Location"] == f"/api/integrations/{made['id']}"
    assert made["createdAt"].endswith("Z")
    assert {name: made[name] for name in made.keys() - {"id", "createdAt", "onboarding"}} == {
        "customer": wanted["customer"],
        "tenantId": wanted["tenantId"],
        "displayName": wanted["customer"],
        "homeRegion": "eastus",
        "managementGroupId": None,
        "workspaceResourceId": None,
        "subscriptionCap": 2000,
        "status": "provisioning",
    }


async def test_a_registration_keeps_every_field_that_it_names(patient: System) -> None:
    wanted = a_request(
        displayName=" Contoso Süd-Ost 株式会社 ",
        homeRegion="West Europe",
        managementGroupId="mg-production",
        workspaceResourceId=_WORKSPACE,
        subscriptionCap=17,
    )

    reply = await post(patient, wanted)

    assert reply.status == 201
    made = reply.json()
    assert made["displayName"] == "Contoso Süd-Ost 株式会社"
    assert made["homeRegion"] == "westeurope"
    assert made["managementGroupId"] == "mg-production"
    assert made["workspaceResourceId"] == _WORKSPACE
    assert made["subscriptionCap"] == 17


async def test_the_customer_is_told_what_to_run(patient: System) -> None:
    whole_tenant, one_group = a_request(), a_request(managementGroupId="mg-1", homeRegion="uksouth")

    replies = [(await post(patient, wanted)).json() for wanted in (whole_tenant, one_group)]

    scopes = (whole_tenant["tenantId"], "mg-1")
    for reply, scope, region in zip(replies, scopes, ("eastus", "uksouth"), strict=True):
        command = reply["onboarding"]["command"]
        assert command.startswith("az deployment mg create ")
        assert f"--management-group-id {scope} " in command
        assert f"--location {region} " in command
        assert command.endswith("--template-file onboarding.bicep")
        link = reply["onboarding"]["template"].removeprefix(f"{patient.stack.host_url}/")
        assert link.startswith(f"api/integrations/{reply['id']}/onboarding.bicep?")
        served = await patient.request("GET", link, key=None)
        assert (served.status, served.media_type) == (200, "text/plain")
        assert (await patient.request("GET", link.partition("?")[0], key=None)).status == 403


async def test_what_was_registered_can_be_read_and_is_listed(patient: System) -> None:
    made = (await post(patient, a_request())).json()
    made.pop("onboarding")

    one = await patient.request("GET", f"api/integrations/{made['id']}")
    same = await patient.request("GET", f"api/integrations/{made['id'].upper()}")
    listed = await patient.request("GET", "api/integrations")

    assert {reply.status for reply in (one, same, listed)} == {200}
    assert {reply.media_type for reply in (one, same, listed)} == {"application/json"}
    assert made.items() <= one.json().items()
    assert one.json()["id"] == same.json()["id"]
    assert made in listed.json()["integrations"]
    assert one.json()["counts"]["entries"] == {
        "in": 0,
        "condensed": 0,
        "passedThrough": 0,
        "duplicates": 0,
        "setAside": 0,
        "parked": 0,
        "operations": 0,
    }


async def test_a_customer_without_delegation_has_no_subscriptions_yet(patient: System) -> None:
    made = (await post(patient, a_request())).json()
    reply = await patient.request("GET", f"api/integrations/{made['id']}/subscriptions")
    assert (reply.status, reply.media_type, reply.json()) == (200, "application/json", {"subscriptions": []})


@pytest.mark.parametrize(
    ("request_fields", "wrong"),
    [
        ({}, ["customer", "tenantId"]),
        ({"customer": None, "tenantId": None}, ["customer", "tenantId"]),
        ({"customer": "a", "tenantId": "b", "homeRegion": "?"}, ["customer", "homeRegion", "tenantId"]),
        (_RIGHT | {"tenant": "x", "Customer": "y"}, ["Customer", "tenant"]),
        (_RIGHT | {"subscriptionCap": 0, "displayName": ""}, ["displayName", "subscriptionCap"]),
        (_RIGHT | {"subscriptionCap": True}, ["subscriptionCap"]),
        (_RIGHT | {"subscriptionCap": "12"}, ["subscriptionCap"]),
        (
            _RIGHT | {"workspaceResourceId": _WORKSPACE.replace("workspaces", "clusters")},
            ["workspaceResourceId"],
        ),
        (_RIGHT | {"managementGroupId": "a/b; rm -rf /"}, ["managementGroupId"]),
        (_RIGHT | {"customer": "Contoso"}, ["customer"]),
        (_RIGHT | {"customer": "../condensed"}, ["customer"]),
        (_RIGHT | {"customer": "c" * 41}, ["customer"]),
        (_RIGHT | {"tenantId": ["not", "text"]}, ["tenantId"]),
        (_RIGHT | {"tenantId": "{11111111-2222-4333-8444-555555555555}"}, ["tenantId"]),
    ],
    ids=lambda value: json.dumps(list(value)),
)
async def test_a_wrong_request_is_refused_and_every_wrong_field_named(
    patient: System, request_fields: Json, wrong: list[str]
) -> None:
    reply = await post(patient, request_fields)

    assert (reply.status, reply.media_type) == (400, _PROBLEM)
    assert wrong_fields(reply) == sorted(wrong)
    problem = reply.json()
    assert (problem["status"], problem["title"]) == (400, "Invalid request")
    assert all(error["detail"] for error in problem["errors"])
    assert all(field in problem["detail"] for field in wrong)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe\x00", b"[" * 20_000, b'{"customer": "' + b"c" * 70_000],
    ids=["empty", "torn", "array", "null", "text", "no UTF-8", "deep", "large"],
)
async def test_a_body_that_is_no_json_object_is_refused_as_a_whole(patient: System, body: bytes) -> None:
    reply = await post(patient, body)
    assert (reply.status, reply.media_type) == (400, _PROBLEM)
    assert wrong_fields(reply) == [""]


async def test_the_providers_own_tenant_is_no_customer(patient: System) -> None:
    reply = await post(patient, a_request(tenantId=patient.stack.provider.tenant_id))
    assert (reply.status, wrong_fields(reply)) == (400, ["tenantId"])


async def test_a_customer_or_a_tenant_is_registered_only_once(patient: System) -> None:
    first = a_request()
    assert (await post(patient, first)).status == 201

    same_name = await post(patient, a_request(customer=first["customer"]))
    same_tenant = await post(patient, a_request(tenantId=str(first["tenantId"]).upper()))
    same_both = await post(patient, first)

    for reply, field in ((same_name, "customer"), (same_tenant, "tenantId"), (same_both, "customer")):
        assert (reply.status, reply.media_type) == (409, _PROBLEM)
        assert (reply.json()["status"], reply.json()["field"]) == (409, field)
        assert first["customer"] not in reply.body.decode()


@pytest.mark.parametrize("shared", ["customer", "tenantId"])
async def test_of_registrations_that_race_one_wins(patient: System, shared: str) -> None:
    common = a_request()[shared]

    replies = await asyncio.gather(*(post(patient, a_request(**{shared: common})) for _ in range(6)))

    assert sorted(reply.status for reply in replies) == [201, 409, 409, 409, 409, 409]
    listed = (await patient.request("GET", "api/integrations")).json()["integrations"]
    [winner] = [item for item in listed if item[shared] == common]
    assert [reply.json()["id"] for reply in replies if reply.status == 201] == [winner["id"]]


@pytest.mark.parametrize("suffix", ["", "/subscriptions"])
@pytest.mark.parametrize(
    "integration", [_NOBODY, "unknown", "tenant~1", "..%2Fintegrations", "%00", "ü", "'", "a" * 900]
)
async def test_an_integration_that_is_not_there_is_not_found(
    patient: System, integration: str, suffix: str
) -> None:
    reply = await patient.request("GET", f"api/integrations/{integration}{suffix}")
    assert (reply.status, reply.media_type) == (404, _PROBLEM)
    assert reply.json()["status"] == 404


_ROUTES = [
    ("POST", "api/integrations"),
    ("GET", "api/integrations"),
    ("GET", f"api/integrations/{_NOBODY}"),
    ("GET", f"api/integrations/{_NOBODY}/subscriptions"),
]


@pytest.mark.parametrize(("method", "path"), _ROUTES)
@pytest.mark.parametrize("key", [None, "wrong"], ids=["no key", "wrong key"])
async def test_nothing_is_told_without_the_key(
    patient: System, method: str, path: str, key: str | None
) -> None:
    reply = await patient.request(method, path, b"{}" if method == "POST" else None, key=key)
    assert (reply.status, reply.body) == (401, b"")


async def test_a_registration_without_the_key_registers_nothing(patient: System) -> None:
    wanted = a_request()
    assert (await post(patient, wanted, key=None)).status == 401
    listed = (await patient.request("GET", "api/integrations")).json()["integrations"]
    assert wanted["customer"] not in {item["customer"] for item in listed}


async def test_the_key_of_event_grid_does_not_open_the_api(patient: System) -> None:
    key = patient.stack.event_grid_url.rpartition("code=")[2]
    assert (await patient.request("GET", "api/integrations", key=key)).status == 401


async def test_the_key_may_stand_in_the_address(patient: System) -> None:
    path = f"api/integrations?code={patient.stack.function_key}"
    assert (await patient.request("GET", path, key=None)).status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_other_methods_are_not_served(patient: System, method: str) -> None:
    assert (await patient.request(method, "api/integrations", b"{}")).status == 404
