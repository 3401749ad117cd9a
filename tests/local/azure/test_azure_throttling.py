"""Token buckets, headers and counts."""

from local.azure.throttle import LIMITS
from tests.local.azure.azure_bench import Bench

_LIST = "/subscriptions?api-version=2022-12-01"


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
