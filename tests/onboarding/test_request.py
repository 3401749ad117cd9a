"""What a registration request must hold: everything that is wrong is named."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.onboarding.request import MOST_BYTES, InvalidRequestError, Registration, parse_registration
from tests.helpers.facts import CUSTOMER_TENANT

_LEAST = {"customer": "contoso", "tenantId": CUSTOMER_TENANT}
_WORKSPACE = (
    "/subscriptions/0a1b2c3d-1111-4222-8333-0123456789ab/resourceGroups/rg/providers"
    "/Microsoft.OperationalInsights/workspaces/Central"
)


def _parse(**fields: Any) -> Registration:  # noqa: ANN401 - any JSON
    return parse_registration(json.dumps(_LEAST | fields).encode())


def _wrong(body: bytes) -> list[str]:
    with pytest.raises(InvalidRequestError) as raised:
        parse_registration(body)
    assert all(error.detail for error in raised.value.errors)
    return [error.field for error in raised.value.errors]


def test_a_customer_and_a_tenant_are_enough() -> None:
    assert _parse() == Registration("contoso", CUSTOMER_TENANT, None, None, None, None, None)


def test_everything_else_may_be_named() -> None:
    found = _parse(
        displayName="  Contoso Ltd ",
        homeRegion="West Europe",
        managementGroupId="Contoso-Root",
        workspaceResourceId=f" {_WORKSPACE}/",
        subscriptionCap=7,
    )
    assert found == Registration(
        customer="contoso",
        tenant_id=CUSTOMER_TENANT,
        display_name="Contoso Ltd",
        home_region="westeurope",
        management_group_id="Contoso-Root",
        workspace_resource_id=_WORKSPACE,
        subscription_cap=7,
    )


def test_null_means_the_default() -> None:
    names = ("displayName", "homeRegion", "managementGroupId", "workspaceResourceId", "subscriptionCap")
    assert _parse(**dict.fromkeys(names)) == _parse()


def test_a_tenant_has_one_spelling() -> None:
    assert _parse(tenantId=f" {CUSTOMER_TENANT.upper()} ").tenant_id == CUSTOMER_TENANT


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (
            "customer",
            ["", "ab", "Contoso", "con toso", "contoso-", "1abc", "a" * 41, 5, True, [], {}, "a\nb"],
        ),
        ("tenantId", ["", "contoso.onmicrosoft.com", CUSTOMER_TENANT[:-1], 5, False, {"a": 1}]),
        ("displayName", ["", "   ", "a" * 129, "tab\there", "bell\x07", "\ud800", 5, ["x"]]),
        ("homeRegion", ["", "x", "mars!", "east-us", 5, ["westeurope"]]),
        ("managementGroupId", ["", "a/b", "a b", "x" * 91, "../x", "ä", 7]),
        (
            "workspaceResourceId",
            ["", "central", _WORKSPACE.replace("workspaces", "clusters"), _WORKSPACE + "/tables/x", 5],
        ),
        ("subscriptionCap", [0, -1, 100_001, 1.5, "7", True, [1], 10**400]),
    ],
)
def test_each_wrong_value_is_named_by_its_field(field: str, values: list[Any]) -> None:
    for value in values:
        assert _wrong(json.dumps(_LEAST | {field: value}).encode()) == [field], value


def test_everything_that_is_wrong_is_named_at_once() -> None:
    body = {"customer": "X", "homeRegion": 5, "subscriptionCap": "many", "colour": "blue"}
    assert _wrong(json.dumps(body).encode()) == [
        "customer",
        "tenantId",
        "homeRegion",
        "subscriptionCap",
        "colour",
    ]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"customer=contoso", id="a form"),
        pytest.param(b"\xff\xfe\xfd", id="no text"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"contoso"', id="a string"),
        pytest.param(b"[" * 60_000, id="deeply nested"),
        pytest.param(b"1" * 60_000, id="a huge number"),
        pytest.param(b'{"customer":"contoso"', id="cut short"),
        pytest.param(b" " * (MOST_BYTES + 1), id="too large"),
    ],
)
def test_a_body_that_is_no_object_is_wrong_as_a_whole(body: bytes) -> None:
    assert _wrong(body) == [""]


@given(st.binary(max_size=200))
def test_any_bytes_are_accepted_or_refused_with_a_reason(body: bytes) -> None:
    assert _wrong(body)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_fields = ["customer", "tenantId", "displayName", "homeRegion", "managementGroupId", "workspaceResourceId"]


@given(st.dictionaries(st.sampled_from(_fields) | st.text(max_size=5), _json, max_size=6))
def test_any_object_is_accepted_or_every_wrong_field_named_once(body: dict[str, Any]) -> None:
    named = _wrong(json.dumps(body).encode())
    assert len(named) == len(set(named))
    assert set(named) <= set(body) | {"customer", "tenantId"}


def test_the_text_of_a_refusal_names_every_field() -> None:
    with pytest.raises(
        InvalidRequestError, match=r"customer: is required; tenantId: is required; x: is unknown"
    ):
        parse_registration(b'{"x": 1}')


def test_the_text_of_a_refusal_of_the_whole_body_names_no_field() -> None:
    with pytest.raises(InvalidRequestError, match=r"^the body is not a JSON object$"):
        parse_registration(b"[]")
