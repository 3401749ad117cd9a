"""One connection to Azure Resource Manager per process: credential, transport, policies, SDK clients."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote, urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    AsyncRetryPolicy,
    ContentDecodePolicy,
    HeadersPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport
from azure.core.rest import HttpRequest
from azure.mgmt.core import AsyncARMPipelineClient
from azure.mgmt.eventhub.aio import EventHubManagementClient
from azure.mgmt.monitor.aio import MonitorManagementClient
from azure.mgmt.resource.subscriptions.aio import SubscriptionClient

from shared.arm.errors import UnavailableError
from shared.arm.refusals import arm_errors
from shared.arm.throttle import Buckets, RestraintPolicy
from shared.environment import is_loopback

_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_PATH_CHARACTERS = "/()$,:@!'*+;=~"


class TokenPolicy(AsyncBearerTokenCredentialPolicy[Any, Any]):
    """Attaches the identity's token; over plain http only where traffic stays on this machine."""

    async def on_request(self, request: PipelineRequest[Any]) -> None:
        """Attach the token.

        Raises:
            ServiceRequestError: the endpoint is neither https nor loopback.
        """
        if is_loopback(urlsplit(request.http_request.url).hostname):
            request.context.options["enforce_https"] = False
        await super().on_request(request)


class Arm:
    """SDK clients that share one credential, one transport and our own policies.

    The SDK's own list of policies is not used: its automatic registration of resource providers would
    write to a customer's subscription, and its retries would sleep through a `Retry-After`.

    Args:
        url: endpoint of Azure Resource Manager.
        credential: where tokens come from.
        provider_subscription_id: the subscription with our Event Hubs namespaces.
        transport: carries the requests; aiohttp unless another is given.
        clock: seconds that only go forward, by which token buckets fill.
    """

    def __init__(
        self,
        url: str,
        credential: AsyncTokenCredential,
        provider_subscription_id: str,
        transport: AsyncHttpTransport[Any, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._credential = credential
        self._provider_subscription_id = provider_subscription_id
        # No proxy and no `.netrc` in between: looking for them with every request is slow.
        self._transport = transport or AioHttpTransport(
            connection_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, use_env_settings=False
        )
        self._buckets = Buckets(clock)

    @property
    def url(self) -> str:
        """Endpoint of Azure Resource Manager."""
        return self._url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    @functools.cached_property
    def subscriptions(self) -> SubscriptionClient:
        """Client for `GET /subscriptions`."""
        return SubscriptionClient(self._credential, self._url, **self._common())

    @functools.cached_property
    def monitor(self) -> MonitorManagementClient:
        """Client for diagnostic settings; the subscription is part of each call's resource URI."""
        return MonitorManagementClient(
            self._credential, self._provider_subscription_id, base_url=self._url, **self._common()
        )

    @functools.cached_property
    def event_hubs(self) -> EventHubManagementClient:
        """Client for our own Event Hubs namespaces."""
        return EventHubManagementClient(
            self._credential, self._provider_subscription_id, self._url, **self._common()
        )

    async def call(
        self, method: str, path: str, api_version: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Call an operation for which no SDK client is current; gives the JSON object that Azure answered.

        Args:
            method: HTTP method.
            path: from the first slash, without query.
            api_version: of the operation.
            body: JSON object to send.

        Raises:
            ArmError: Azure refused or did not answer.
        """
        url = f"{self._url}{quote(path, safe=_PATH_CHARACTERS)}"
        return await self._send(HttpRequest(method, url, params={"api-version": api_version}, json=body))

    async def next_page(self, link: str) -> dict[str, Any]:
        """Follow the `nextLink` of a listing.

        Raises:
            ArmError: Azure refused or did not answer, or the link leads away from it.
        """
        if urlsplit(link)[:2] != urlsplit(self._url)[:2]:
            raise UnavailableError("a listing goes on at another host")
        return await self._send(HttpRequest("GET", link))

    async def _send(self, request: HttpRequest) -> dict[str, Any]:
        with arm_errors():
            response = await self._plain.send_request(request)
            response.raise_for_status()
            value = response.json() if response.content else {}
        return value if isinstance(value, dict) else {}

    @functools.cached_property
    def _plain(self) -> AsyncARMPipelineClient[Any, Any]:
        return AsyncARMPipelineClient(self._url, **self._common())

    def _common(self) -> dict[str, Any]:
        return {"policies": self._policies(), "transport": self._transport}

    def _policies(self) -> Sequence[Any]:
        return [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy(base_user_agent="lightkeeper"),
            ContentDecodePolicy(),
            AsyncRetryPolicy(
                retry_total=2, retry_connect=2, retry_read=1, retry_status=0, retry_backoff_factor=0.1
            ),
            RestraintPolicy(self._buckets),
            TokenPolicy(self._credential, f"{self._url}/.default"),
        ]
