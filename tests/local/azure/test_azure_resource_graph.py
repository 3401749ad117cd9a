"""Resource Graph: queries, pages, scope, quota, lag, and what it does not understand."""

from typing import Any

import pytest

from local.azure.app import SimulatedAzure
from local.azure.estate import generate
from local.azure.faults import Fault, FaultKind
from local.azure.http import Response
from local.azure.resource_graph import MOST_ROWS, MOST_SUBSCRIPTIONS, QUERIES
from tests.local.azure.azure_bench import PROVIDER, Bench

_PATH = "/providers/Microsoft.ResourceGraph/resources"
_VERSION = "2021-03-01"
_VAULTS = (
    "resources | where type in~ ('Microsoft.KeyVault/vaults') "
    "| project id, type, location, subscriptionId, tenantId | order by id asc"
)


@pytest.fixture(autouse=True)
def wide(bench: Bench) -> None:
    """Pages are as long as the query asks."""
    bench.world.page_size = MOST_ROWS


def _ask(
    bench: Bench, query: str = _VAULTS, subscriptions: list[str] | None = None, **options: object
) -> Response:
    body: dict[str, Any] = {"query": query, "options": {"resultFormat": "objectArray", **options}}
    if subscriptions is not None:
        body["subscriptions"] = subscriptions
    return bench.ask("POST", _PATH, _VERSION, body)


def _rows(bench: Bench, query: str = _VAULTS, **options: object) -> list[dict[str, Any]]:
    answer = _ask(bench, query, **options)
    assert answer.ok, answer.body
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


@pytest.mark.parametrize("version", ["2021-03-01", "2022-10-01", "2024-04-01"])
def test_only_what_is_delegated_is_seen(bench: Bench, version: str) -> None:
    body = {"query": _VAULTS, "options": {"$top": 1000}}
    answer = bench.ask("POST", _PATH, version, body).json()
    seen = {row["subscriptionId"] for row in answer["data"]}
    customer = bench.customer
    assert seen == {*customer.delegated, *customer.disabled, *customer.partial}
    assert {row["tenantId"] for row in answer["data"]} == {customer.tenant_id}
    assert answer["totalRecords"] == answer["count"] == len(answer["data"])
    assert answer["resultTruncated"] == "false"
    assert "$skipToken" not in answer


def test_subscriptions_can_be_named_and_those_that_cannot_be_seen_are_left_out(bench: Bench) -> None:
    named = [bench.subscription.upper(), bench.customer.not_delegated[0]]
    answer = _ask(bench, subscriptions=named).json()
    assert [row["subscriptionId"] for row in answer["data"]] == [bench.subscription]
    refused = _ask(bench, subscriptions=named[1:])
    assert refused.status == 400
    assert refused.json()["error"]["details"][0]["code"] == "NoValidSubscriptionsInQueryRequest"


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("type == 'microsoft.keyvault/vaults'", True),
        ("type == 'Microsoft.KeyVault/vaults'", False),
        ("type =~ 'Microsoft.KeyVault/vaults'", True),
        ("type in ('microsoft.keyvault/vaults', 'a/b')", True),
        ("type in ('Microsoft.KeyVault/vaults')", False),
        ("type !in~ ('MICROSOFT.KEYVAULT/VAULTS')", False),
        ("type != 'a/b' and location =~ 'WestEurope'", True),
        ("type =~ 'a/b' or (location == 'westeurope' and not (type =~ 'a/b'))", True),
        ('resourceGroup == "contoso-rg"', True),
    ],
)
def test_conditions_compare_as_kusto_does(bench: Bench, condition: str, *, found: bool) -> None:
    assert bool(_rows(bench, f"Resources | where {condition} | project id")) is found


@pytest.mark.parametrize(
    "query",
    [
        "",
        "resourcecontainers | project id",
        "resources | summarize count() by type",
        "resources | where type contains 'vault'",
        "resources | where ID == 'x'",
        "resources | where type == ",
        "resources | where type == 'x' | project id |",
        "resources | project colour",
        "resources | where type == 'x",
        "resources | take many",
    ],
)
def test_what_is_not_understood_is_refused_with_details(bench: Bench, query: str) -> None:
    answer = _ask(bench, query)
    assert answer.status == 400
    error = answer.json()["error"]
    assert error["code"] == "BadRequest"
    assert "timestamp = " in error["message"]
    assert [detail["code"] for detail in error["details"]] == ["InvalidQuery", "ParserFailure"]


def test_pages_follow_one_another_by_their_tokens(bench: Bench) -> None:
    seen: list[str] = []
    token: str | None = None
    for _ in range(3):
        more = {"$skipToken": token} if token else {}
        answer = _ask(bench, **{"$top": 3, **more}).json()
        seen += [row["id"] for row in answer["data"]]
        token = answer.get("$skipToken")
    assert token is None
    assert len(seen) == 7
    assert seen == sorted(seen)


def test_a_page_may_be_shorter_than_was_asked_and_its_token_goes_on_from_there(bench: Bench) -> None:
    bench.world.page_size = 4
    first = _ask(bench, **{"$top": 1000}).json()
    second = _ask(bench, **{"$top": 1000, "$skipToken": first["$skipToken"]}).json()
    assert (first["count"], second["count"], second["totalRecords"]) == (4, 3, 7)
    assert "$skipToken" not in second


def test_without_the_id_there_is_no_next_page_and_the_rest_is_lost(bench: Bench) -> None:
    answer = _ask(bench, "resources | project type, location", **{"$top": 3}).json()
    assert answer["resultTruncated"] == "true"
    assert "$skipToken" not in answer
    assert (answer["count"], answer["totalRecords"]) == (3, 7)


def test_rows_can_be_skipped_taken_and_ordered(bench: Bench) -> None:
    every = [row["id"] for row in _rows(bench, "resources | project id | order by id asc")]
    assert [row["id"] for row in _rows(bench, "resources | project id | sort by id")] == every[::-1]
    assert [row["id"] for row in _rows(bench, "resources | project id | order by id asc | take 2")] == every[
        :2
    ]
    options = {"$skip": 5, "$top": 10}
    assert [
        row["id"] for row in _rows(bench, "resources | project id | order by id asc", **options)
    ] == every[5:]


@pytest.mark.parametrize("top", [0, 1001, "many"])
def test_a_page_has_at_most_a_thousand_rows(bench: Bench, top: object) -> None:
    assert _ask(bench, **{"$top": top}).status == 400


def test_a_token_that_was_not_given_is_refused(bench: Bench) -> None:
    answer = _ask(bench, **{"$skipToken": "made-up"})
    assert answer.json()["error"]["details"][0]["code"] == "InvalidSkipToken"


def test_rows_can_come_as_a_table(bench: Bench) -> None:
    answer = _ask(bench, resultFormat="table").json()
    assert [column["name"] for column in answer["data"]["columns"]][:2] == ["id", "type"]
    assert len(answer["data"]["rows"]) == 7


def test_a_principal_has_fifteen_queries_in_five_seconds(bench: Bench) -> None:
    bench.world.clock.stop()
    answers = [_ask(bench) for _ in range(QUERIES + 1)]
    assert answers[0].headers["x-ms-user-quota-remaining"] == str(QUERIES - 1)
    assert answers[0].headers["x-ms-user-quota-resets-after"] == "00:00:05"
    assert [answer.status for answer in answers[-2:]] == [200, 429]
    error = answers[-1].json()["error"]
    assert (error["code"], error["details"][0]["code"]) == ("RateLimiting", "RateLimiting")
    assert answers[-1].headers["x-ms-user-quota-remaining"] == "0"
    assert "Retry-After" not in answers[-1].headers
    bench.world.clock.move(5)
    assert _ask(bench).status == 200


def test_queries_do_not_count_against_resource_managers_buckets(bench: Bench) -> None:
    answer = _ask(bench)
    assert not [name for name in answer.headers if name.startswith("x-ms-ratelimit")]


def test_a_query_without_its_content_type_fails(bench: Bench) -> None:
    path = f"{_PATH}?api-version={_VERSION}"
    assert bench.call("POST", path, b'{"query": "resources | project id"}').status == 500


def test_too_many_subscriptions_are_refused(bench: Bench) -> None:
    assert _ask(bench, subscriptions=[bench.subscription] * (MOST_SUBSCRIPTIONS + 1)).status == 400


def test_more_than_ten_thousand_accessible_subscriptions_are_cut_and_it_is_said() -> None:
    azure = SimulatedAzure(generate(PROVIDER, seed=1, customers=1, subscriptions=10_400))
    bench = Bench(azure, None, None)  # type: ignore[arg-type] - neither a server nor a customer is needed
    answer = _ask(bench, "resources | project id | take 1")
    assert answer.headers["x-ms-tenant-subscription-limit-hit"] == "true"


def test_changes_show_late(bench: Bench) -> None:
    bench.world.clock.stop()
    bench.world.graph_lag_seconds = 60
    vault = bench.vault
    bench.world.clock.move(100)
    bench.hands.add_vault(bench.subscription, "contoso-rg", "new", "westeurope")
    bench.hands.delete_resource(vault)
    assert [row["id"] for row in _rows(bench) if row["subscriptionId"] == bench.subscription] == [vault]
    bench.world.clock.move(60)
    [seen] = [row["id"] for row in _rows(bench) if row["subscriptionId"] == bench.subscription]
    assert seen.endswith("/new")


def test_a_new_delegation_shows_late(bench: Bench) -> None:
    bench.world.clock.stop()
    bench.world.graph_lag_seconds = 60
    fresh = bench.customer.not_delegated[0]
    bench.hands.delegate(fresh)
    assert fresh not in {row["subscriptionId"] for row in _rows(bench)}
    bench.world.clock.move(60)
    assert fresh in {row["subscriptionId"] for row in _rows(bench)}


def test_roles_decide_which_rows_are_seen(bench: Bench) -> None:
    bench.make_workspace()
    bench.set_roles("Security Admin")
    rows = _ask(bench, "resources | project id, type", [bench.subscription]).json()["data"]
    assert rows == []
    bench.set_roles("Log Analytics Reader")
    assert len(_ask(bench, "resources | project id, type", [bench.subscription]).json()["data"]) == 2


def test_a_page_can_be_torn_and_the_count_tells(bench: Bench) -> None:
    for kind, count in ((FaultKind.EMPTY_PAGE, 0), (FaultKind.LOST_NEXT_LINK, 3)):
        bench.azure.faults.switch_on("torn", Fault(kind, path=_PATH, calls=1))
        answer = _ask(bench, **{"$top": 3}).json()
        assert (answer["count"], len(answer["data"]), answer["totalRecords"]) == (count, count, 7)
        assert "$skipToken" not in answer


def test_a_query_can_show_the_past(bench: Bench) -> None:
    bench.hands.add_vault(bench.subscription, "contoso-rg", "new", "westeurope")
    bench.azure.faults.switch_on("stale", Fault(FaultKind.STALE_READ, path=_PATH, calls=1))
    assert len(_rows(bench)) == 7
    assert len(_rows(bench)) == 8
