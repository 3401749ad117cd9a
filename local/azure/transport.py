"""A transport for the SDK's clients that hands their requests to a simulated Azure without sockets.

    client = SubscriptionClient(credential, "https://management.azure.com", transport=InProcess(azure))

Broken connections are raised as the SDK's own transport raises them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.utils import case_insensitive_dict

from local.azure.app import SimulatedAzure
from local.azure.http import Request, Response


class Answer(AsyncHttpResponse):
    """An answer that is wholly there, in the shape in which the SDK reads answers.

    Args:
        request: to which it belongs.
        response: what the simulated Azure said.
    """

    def __init__(self, request: HttpRequest, response: Response) -> None:
        self._request = request
        self._response = response
        self._headers = case_insensitive_dict(dict(response.headers))
        self._encoding: str | None = "utf-8"
        self._closed = False

    @property
    def request(self) -> HttpRequest:
        """What was asked."""
        return self._request

    @property
    def status_code(self) -> int:
        """HTTP status."""
        return self._response.status

    @property
    def headers(self) -> Any:  # noqa: ANN401 - the SDK's own mapping type
        """Headers; case does not matter."""
        return self._headers

    @property
    def reason(self) -> str:
        """HTTP status in words."""
        return HTTPStatus(self._response.status).phrase

    @property
    def content_type(self) -> str | None:
        """Content type, if there is content."""
        return self._headers.get("content-type")

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def is_stream_consumed(self) -> bool:
        """It never is a stream."""
        return True

    @property
    def encoding(self) -> str | None:
        """Of the text."""
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def url(self) -> str:
        """What was asked for."""
        return self._request.url

    @property
    def content(self) -> bytes:
        """The body."""
        return self._response.body

    def body(self) -> bytes:
        """The body, as older clients ask for it."""
        return self._response.body

    def text(self, encoding: str | None = None) -> str:
        """The body as text."""
        return self._response.body.decode(encoding or self._encoding or "utf-8")

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The body as JSON."""
        return json.loads(self._response.body)

    def raise_for_status(self) -> None:
        """Do nothing if the call succeeded.

        Raises:
            HttpResponseError: it did not.
        """
        if not self._response.ok:
            raise HttpResponseError(response=self)

    async def read(self) -> bytes:
        """The body."""
        return self._response.body

    async def iter_bytes(self, **_: object) -> AsyncIterator[bytes]:
        """The body in one piece."""
        yield self._response.body

    async def iter_raw(self, **_: object) -> AsyncIterator[bytes]:
        """The body in one piece."""
        yield self._response.body

    async def close(self) -> None:
        """Nothing is held."""
        self._closed = True

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


class InProcess(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Hands requests over; one may serve any number of clients.

    Args:
        azure: who answers.
        latency_seconds: how long every call takes, in real time.
    """

    def __init__(self, azure: SimulatedAzure, *, latency_seconds: float = 0.0) -> None:
        self._azure = azure
        self._latency = latency_seconds

    async def send(self, request: HttpRequest, **_: object) -> AsyncHttpResponse:
        """Have a request answered.

        Raises:
            ServiceRequestError: the connection broke before anything was done.
            ServiceResponseError: the connection broke before the answer arrived.
        """
        # Every call gives way to others, as it would on a socket.
        await asyncio.sleep(self._latency)
        headers = {name.lower(): str(value) for name, value in request.headers.items()}
        response = self._azure.handle(Request(request.method, request.url, headers, _content(request)))
        if response.lost:
            done = ServiceResponseError if response.ok else ServiceRequestError
            raise done("the connection was broken")
        return Answer(request, response)

    async def open(self) -> None:
        """Nothing has to be opened."""

    async def close(self) -> None:
        """Nothing has to be closed."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def _content(request: Any) -> bytes:  # noqa: ANN401 - older clients have a request type of their own
    content = getattr(request, "content", None)
    if content is None:
        content = request.data
    if content is None:
        return b""
    if isinstance(content, str):
        return content.encode()
    if isinstance(content, Iterable) and not isinstance(content, bytes):
        raise TypeError("the simulated Azure takes no streams")
    return bytes(content)
