"""Restraint: stop before Azure Resource Manager refuses.

ARM keeps a token bucket per subscription, principal and kind of operation and tells in a header how
many tokens are left: reads 250, refilled by 25 a second; writes and deletes 200, refilled by 10 a second
(learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling). Near the bottom
of a bucket a call is not sent at all but raises `ThrottledError`, so that its job returns to the queue as
after a 429.
"""

import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.arm.errors import ThrottledError

GRAPH: Final = "queries"
"""Kind of bucket that Resource Graph keeps for each caller: 15 queries in 5 seconds.

learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests
"""

RESERVE: Final = {"reads": 10, "writes": 10, "deletes": 10, GRAPH: 1}
"""Tokens that are left for people and other tools of the same identity."""

_REST_SECONDS: Final = 2.0
"""How long a bucket is left to fill beyond its reserve, so that the next visit gets something done."""

_REFILL: Final = {"reads": 25.0, "writes": 10.0, "deletes": 10.0, GRAPH: 3.0}
_KIND: Final = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}
_SUBSCRIPTION = re.compile(r"/subscriptions/([0-9a-f-]{36})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Level:
    """How full a bucket was."""

    remaining: float
    at: float


class Buckets:
    """What is known of the token buckets that this process draws from.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: dict[tuple[str, str], _Level] = {}
        self._in_flight: Counter[tuple[str, str]] = Counter()

    def seconds_until_allowed(self, scope: str, kind: str) -> float:
        """How long to stay away from a bucket; 0 if it may be drawn from."""
        level = self._levels.get((scope, kind))
        if level is None:
            return 0.0
        refill = _REFILL[kind]
        filled = (self._clock() - level.at) * refill
        now = level.remaining + filled - self._in_flight[scope, kind]
        return max((RESERVE[kind] - now) / refill, 0.0)

    def begin(self, scope: str, kind: str) -> None:
        """Count a call whose answer is still to come."""
        self._in_flight[scope, kind] += 1

    def end(self, scope: str, kind: str) -> None:
        """Count a call that has ended."""
        self._in_flight[scope, kind] -= 1

    def learn(self, scope: str, kind: str, remaining: int) -> None:
        """Take down what a header said."""
        self._levels[scope, kind] = _Level(remaining, self._clock())


class RestraintPolicy(SansIOHTTPPolicy[Any, Any]):
    """Reads the remaining-quota headers, and stops requests to a bucket that is nearly empty."""

    def __init__(self, buckets: Buckets) -> None:
        super().__init__()
        self._buckets = buckets

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Stop the request if its bucket is nearly empty.

        Raises:
            ThrottledError: it is.
        """
        scope, kind = _bucket(request.http_request.method, request.http_request.url)
        seconds = self._buckets.seconds_until_allowed(scope, kind)
        if seconds > 0:
            raise ThrottledError(f"held back: few {kind} left", retry_after=seconds + _REST_SECONDS)
        self._buckets.begin(scope, kind)

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        """Take down how many tokens are left."""
        scope, kind = _bucket(request.http_request.method, request.http_request.url)
        self._buckets.end(scope, kind)
        left = response.http_response.headers.get(_header(scope, kind), "")
        if left.isdecimal():
            self._buckets.learn(scope, kind, int(left))

    def on_exception(self, request: PipelineRequest[Any]) -> None:
        """A call that got no answer is not under way any more."""
        self._buckets.end(*_bucket(request.http_request.method, request.http_request.url))


def _header(scope: str, kind: str) -> str:
    if kind == GRAPH:
        return "x-ms-user-quota-remaining"
    return f"x-ms-ratelimit-remaining-{'subscription' if scope else 'tenant'}-{kind}"


def _bucket(method: str, url: str) -> tuple[str, str]:
    if "/providers/microsoft.resourcegraph/" in url.lower():
        return ("", GRAPH)
    match = _SUBSCRIPTION.search(url)
    return (match[1].lower() if match else "", _KIND.get(method, "writes"))
