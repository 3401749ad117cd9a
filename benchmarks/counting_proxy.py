"""Stands between the storage clients and Azurite and counts every request on the wire, retries included."""

from collections import Counter
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from aiohttp import ClientSession, ClientTimeout, web
from yarl import URL

from local.azurite import Azurite

_CONNECTION_HEADERS = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
)
_LARGEST_BODY = 1 << 30


class CountingProxy:
    """A running proxy in front of an Azurite.

    Attributes:
        counts: requests so far, by kind, such as `table GET` or `table batch`.
    """

    def __init__(self, azurite: Azurite) -> None:
        self.counts: Counter[str] = Counter()
        self._azurite = azurite
        self._runners: list[web.AppRunner] = []
        self._urls: dict[str, str] = {}
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = ClientSession(timeout=ClientTimeout(total=None), auto_decompress=False)
        urls = {
            "blob": self._azurite.blob_url,
            "queue": self._azurite.queue_url,
            "table": self._azurite.table_url,
        }
        for service, url in urls.items():
            self._urls[service] = await self._serve(service, url)
        return self

    async def __aexit__(self, *_: object) -> None:
        for runner in self._runners:
            await runner.cleanup()
        if self._session is not None:
            await self._session.close()

    @property
    def connection_string(self) -> str:
        """The same account, by way of the proxy."""
        text = self._azurite.connection_string
        originals = (self._azurite.blob_url, self._azurite.queue_url, self._azurite.table_url)
        for service, original in zip(("blob", "queue", "table"), originals, strict=True):
            text = text.replace(original, self._urls[service])
        return text

    async def _serve(self, service: str, url: str) -> str:
        parts = urlsplit(url)

        async def forward(request: web.Request) -> web.Response:
            self.counts[_kind(service, request)] += 1
            return await self._forward(request, f"{parts.scheme}://{parts.netloc}{request.raw_path}")

        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return f"http://127.0.0.1:{port}{parts.path}"

    async def _forward(self, request: web.Request, url: str) -> web.Response:
        if self._session is None:
            raise RuntimeError("the proxy is not running")
        body = await request.read()
        # URL and headers are passed on as they were written, since the signature covers them.
        sent = self._session.request(
            request.method,
            URL(url, encoded=True),
            data=body or None,
            headers=_passed_on(request.headers),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            allow_redirects=False,
        )
        async with sent as answer:
            content = await answer.read()
            headers = _passed_on(answer.headers)
            return web.Response(status=answer.status, body=content, headers=headers)


def _kind(service: str, request: web.Request) -> str:
    return f"{service} {'batch' if request.path.endswith('$batch') else request.method}"


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _CONNECTION_HEADERS}
