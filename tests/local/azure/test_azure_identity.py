"""Managed identity: the real credential gets tokens, and Resource Manager takes no others."""

import pytest
from azure.identity.aio import ManagedIdentityCredential

from local.azure.http import Request
from tests.local.azure.azure_bench import PROVIDER, Bench

_LIST = "/subscriptions?api-version=2022-12-01"


async def test_the_real_credential_gets_a_token_that_resource_manager_takes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{bench.server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "made-up")
    async with ManagedIdentityCredential() as credential:
        token = await credential.get_token("https://management.azure.com/.default")
    headers = {"authorization": f"Bearer {token.token}"}
    assert bench.azure.handle(Request("GET", f"http://azure{_LIST}", headers)).status == 200


async def test_the_identity_can_be_named_by_its_client_id(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{bench.server.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "made-up")
    async with ManagedIdentityCredential(client_id=bench.world.app.client_id) as credential:
        assert (await credential.get_token("https://management.azure.com/.default")).token


def test_a_call_without_a_token_is_refused_with_a_challenge(bench: Bench) -> None:
    answer = bench.azure.handle(Request("GET", f"http://azure{_LIST}"))
    assert answer.status == 401
    assert answer.json()["error"]["code"] == "AuthenticationFailed"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_made_up_token_is_invalid(bench: Bench) -> None:
    answer = bench.call("GET", _LIST, authorization="Bearer made-up")
    assert answer.status == 401
    assert answer.json()["error"] == {
        "code": "InvalidAuthenticationToken",
        "message": "The access token is invalid.",
    }


def test_a_token_ends(bench: Bench) -> None:
    token = bench.token
    bench.world.clock.move(86_500)
    answer = bench.call("GET", _LIST, authorization=f"Bearer {token}")
    assert answer.json()["error"]["code"] == "ExpiredAuthenticationToken"


def test_a_token_for_another_resource_is_invalid_here(bench: Bench) -> None:
    token, _ = bench.azure.identity.issue(bench.world.app, "https://vault.azure.net")
    assert bench.call("GET", _LIST, authorization=f"Bearer {token}").status == 401


@pytest.mark.parametrize(
    ("query", "header"),
    [
        ("resource=https://management.azure.com&api-version=2019-08-01", ""),
        ("resource=https://management.azure.com&api-version=2017-09-01", "x"),
        ("resource=https://management.azure.com&api-version=2019-08-01&client_id=unknown", "x"),
        ("api-version=2019-08-01", "x"),
    ],
)
def test_the_endpoint_refuses_what_app_service_refuses(bench: Bench, query: str, header: str) -> None:
    request = Request("GET", f"http://azure/msi/token?{query}", {"x-identity-header": header})
    assert bench.azure.handle(request).status in (400, 401)


def test_an_unknown_api_version_names_the_supported_ones(bench: Bench) -> None:
    answer = bench.call("GET", "/subscriptions?api-version=1999-01-01")
    assert answer.status == 400
    assert "2022-12-01" in answer.json()["error"]["message"]


def test_a_call_without_api_version_is_refused(bench: Bench) -> None:
    answer = bench.call("GET", "/subscriptions")
    assert answer.json()["error"]["code"] == "MissingApiVersionParameter"


def test_an_unknown_route_is_named_and_never_an_empty_success(bench: Bench) -> None:
    path = f"/subscriptions/{PROVIDER.subscription_id}/providers/Microsoft.Wonder/lands"
    answer = bench.call("GET", f"{path}?api-version=2022-12-01")
    assert answer.status == 501
    assert path in answer.json()["error"]["message"]


_MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/m"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/subscriptions/nonsense", 400),
        ("/subscriptions/nonsense/providers/microsoft.insights/diagnosticSettings/x", 400),
        (f"{_MANAGEMENT_GROUP}/providers/microsoft.insights/diagnosticSettings/x", 501),
    ],
)
def test_paths_outside_any_subscription_are_no_accident(bench: Bench, path: str, status: int) -> None:
    version = "2021-05-01-preview" if "diagnosticSettings" in path else "2022-12-01"
    assert bench.call("GET", f"{path}?api-version={version}").status == status
