"""Resource Manager's token buckets.

Sizes: learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
(per subscription, principal and kind of operation; over all principals fifteen times as much).
"""

import math
from dataclasses import dataclass

from local.azure.clock import Clock
from local.azure.http import Refusal

_GLOBAL = 15


@dataclass(frozen=True, slots=True)
class Limit:
    """Size of a bucket, and what flows in per second."""

    size: float
    refill: float


LIMITS = {"reads": Limit(250, 25), "deletes": Limit(200, 10), "writes": Limit(200, 10)}


@dataclass(slots=True)
class _Bucket:
    limit: Limit
    tokens: float
    at: float

    def fill(self, now: float) -> None:
        self.tokens = min(self.limit.size, self.tokens + (now - self.at) * self.limit.refill)
        self.at = now


class Throttle:
    """Counts calls against their buckets.

    Args:
        clock: by which buckets refill.
        limits: None takes the documented ones; none at all switch throttling off.
    """

    def __init__(self, clock: Clock, limits: dict[str, Limit] | None = None) -> None:
        self._clock = clock
        self.limits = dict(LIMITS) if limits is None else limits
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def take(self, subscription: str, principal: str, method: str) -> dict[str, str]:
        """Use up one call and give back the headers that say what is left.

        Args:
            subscription: ID; empty for calls at the tenant's level.
            principal: object ID.
            method: HTTP method.

        Raises:
            Refusal: 429, with Retry-After.
        """
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
        if kind not in self.limits:
            return {}
        own = self._bucket(subscription, principal, kind, 1)
        shared = self._bucket(subscription, "", kind, _GLOBAL)
        level = "subscription" if subscription else "tenant"
        for bucket in (own, shared):
            if bucket.tokens < 1:
                raise _too_many(subscription, principal, kind, (1 - bucket.tokens) / bucket.limit.refill)
        own.tokens -= 1
        shared.tokens -= 1
        return {
            f"x-ms-ratelimit-remaining-{level}-{kind}": str(int(own.tokens)),
            f"x-ms-ratelimit-remaining-{level}-global-{kind}": str(int(shared.tokens)),
        }

    def _bucket(self, subscription: str, principal: str, kind: str, factor: int) -> _Bucket:
        now = self._clock.seconds()
        key = (subscription, principal, kind)
        if key not in self._buckets:
            limit = self.limits[kind]
            limit = Limit(limit.size * factor, limit.refill * factor)
            self._buckets[key] = _Bucket(limit, limit.size, now)
        bucket = self._buckets[key]
        bucket.fill(now)
        return bucket


def _too_many(subscription: str, principal: str, kind: str, seconds: float) -> Refusal:
    wait = str(max(1, math.ceil(seconds)))
    whose = f"subscription '{subscription}'" if subscription else "the tenant"
    return Refusal(
        429,
        "SubscriptionRequestsThrottled" if subscription else "TenantRequestsThrottled",
        f"Number of '{kind}' requests for {whose} actor '{principal}' exceeded. Please try again after "
        f"'{wait}' seconds after additional tokens are available. "
        "Refer to https://aka.ms/arm-throttling for additional information.",
        headers={"Retry-After": wait},
    )
