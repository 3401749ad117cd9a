"""Token buckets, headers and counts."""

from dataclasses import replace
from itertools import takewhile

import pytest

from local.azure.throttle import LIMITS
from tests.local.azure.azure_bench import Bench

_LIST = "/subscriptions?api-version=2022-12-01"
_OTHERS = {
    "reads": (("PUT", "writes"), ("DELETE", "deletes")),
    "writes": (("GET", "reads"), ("DELETE", "deletes")),
    "deletes": (("GET", "reads"), ("PUT", "writes")),
}


def test_a_bucket_holds_what_is_documented_and_refills(bench: Bench) -> None:
    bench.world.clock.stop()
    token, size = bench.token, int(LIMITS["reads"].size)
    path = f"/subscriptions/{bench.customer.delegated[0]}?api-version=2022-12-01"
    answers = [bench.call("GET", path, authorization=f"Bearer {token}") for _ in range(size + 1)]
    assert [answer.status for answer in answers[-2:]] == [200, 429]
    assert answers[0].headers["x-ms-ratelimit-remaining-subscription-reads"] == str(size - 1)
    assert answers[0].headers["x-ms-ratelimit-remaining-subscription-global-reads"] == str(15 * size - 1)
    refused = answers[-1]
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["error"]["code"] == "SubscriptionRequestsThrottled"
    bench.world.clock.move(1)
    assert bench.call("GET", path).status == 200


def test_subscriptions_and_the_tenant_have_buckets_of_their_own(bench: Bench) -> None:
    bench.world.clock.stop()
    token, size = bench.token, int(LIMITS["reads"].size)
    for _ in range(size):
        bench.call("GET", _LIST, authorization=f"Bearer {token}")
    assert bench.call("GET", _LIST).status == 429
    other = f"/subscriptions/{bench.customer.delegated[0]}?api-version=2022-12-01"
    assert bench.call("GET", other).status == 200


@pytest.mark.parametrize(("method", "kind"), [("GET", "reads"), ("PUT", "writes"), ("DELETE", "deletes")])
def test_each_kind_of_operation_has_a_bucket_of_its_own_for_each_caller(
    bench: Bench, method: str, kind: str
) -> None:
    bench.world.clock.stop()
    size, refill = int(LIMITS[kind].size), int(LIMITS[kind].refill)
    place = f"/subscriptions/{bench.subscription}"
    token = f"Bearer {bench.token}"

    def left(method: str, authorization: str = token) -> int:
        """How many calls of a kind Azure still lets through."""
        path = f"{place}/resourceGroups/made-up"
        calls = (bench.call(method, path, authorization=authorization).status for _ in range(300))
        return len(list(takewhile(lambda status: status != 429, calls)))

    assert left(method) == size
    bench.world.clock.move(2)
    assert left(method) == 2 * refill
    assert all(left(other) == LIMITS[name].size for other, name in _OTHERS[kind])

    other = replace(bench.world.app, object_id="11111111-2222-4333-8444-555555555555")
    assert left(method, f"Bearer {bench.azure.identity.issue(other)[0]}") == size


def test_over_all_callers_there_is_fifteen_times_as_much(bench: Bench) -> None:
    bench.world.clock.stop()
    path = f"/subscriptions/{bench.subscription}/resourceGroups/made-up"
    for number in range(15):
        caller = replace(bench.world.app, object_id=f"caller-{number}")
        token = f"Bearer {bench.azure.identity.issue(caller)[0]}"
        statuses = {bench.call("DELETE", path, authorization=token).status for _ in range(200)}
        assert 429 not in statuses
    refused = bench.call("DELETE", path)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "1")


def test_calls_are_counted_by_kind_status_and_subscription(bench: Bench) -> None:
    subscription = bench.customer.delegated[0]
    bench.call("GET", _LIST)
    bench.call("GET", f"/subscriptions/{subscription}?api-version=2022-12-01")
    bench.call("GET", f"/subscriptions/{bench.customer.not_delegated[0]}?api-version=2022-12-01")
    counts = bench.azure.counts
    assert counts.by_kind["GET /subscriptions"] == 1
    assert counts.by_status["GET /subscriptions/{subscription}", 200] == 1
    assert counts.by_status["GET /subscriptions/{subscription}", 401] == 1
    assert counts.by_subscription[subscription.lower()] == 1
