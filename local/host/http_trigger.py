"""HTTP functions: routes, keys, requests in and responses out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie

from aiohttp import web
from multidict import CIMultiDict, MultiMapping

from local.host.functions import FunctionDescription
from local.host.invoker import Invoker
from local.host.keys import Keys
from local.host.protos import RpcHttp, RpcHttpCookie, TypedData
from local.host.routes import Route, split_path

_SAME_SITE = {1: "Lax", 2: "Strict", 3: "None"}

# The server decides how the body travels.
_TRANSPORT_HEADERS = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class _Endpoint:
    function: FunctionDescription
    route: Route


class HttpFunctions:
    """Serves the app's HTTP functions.

    Args:
        functions: of the app; those with another trigger are left out.
        prefix: stands before every route.

    Raises:
        StartError: a route that this host cannot serve.
    """

    def __init__(
        self, functions: Sequence[FunctionDescription], prefix: str, keys: Keys, invoker: Invoker
    ) -> None:
        self._keys = keys
        self._invoker = invoker
        endpoints = [
            _Endpoint(function, Route.parse(f"{prefix}/{function.route}"))
            for function in functions
            if function.route is not None
        ]
        self._endpoints = sorted(endpoints, key=lambda endpoint: endpoint.route.rank)

    async def handle(self, request: web.Request) -> web.Response:
        """Find the function, check the key, run it, and answer as it says; 500 if it fails."""
        segments = split_path(request.rel_url.raw_path)
        for endpoint in self._endpoints:
            methods = endpoint.function.methods
            parameters = endpoint.route.match(segments)
            if parameters is not None and (not methods or request.method in methods):
                return await self._run(endpoint.function, request, parameters)
        return web.Response(status=404)

    async def _run(
        self, function: FunctionDescription, request: web.Request, parameters: Mapping[str, str]
    ) -> web.Response:
        if not self._keys.allow(function.auth_level or "function", request):
            return web.Response(status=401)
        message = RpcHttp(
            method=request.method,
            url=str(request.url),
            headers=_joined(request.headers),
            query=_joined(request.query),
            params=parameters,
            body=TypedData(bytes=await request.read()),
        )
        answer = await self._invoker.run(function, TypedData(http=message))
        if answer.error is not None:
            return web.Response(status=503 if answer.abandoned else 500)
        return _response(answer.value or TypedData())


def _joined(values: MultiMapping[str]) -> dict[str, str]:
    """Values given more than once become one, separated by commas, as the cloud's host passes them."""
    joined: dict[str, str] = {}
    for name, value in values.items():
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _response(value: TypedData) -> web.Response:
    if not isinstance(value.value, RpcHttp):
        return web.Response(body=_body(value), content_type="text/plain", charset="utf-8")
    message = value.value
    headers: CIMultiDict[str] = CIMultiDict(
        (name, text) for name, text in message.headers.items() if name.lower() not in _TRANSPORT_HEADERS
    )
    for cookie in message.cookies or ():
        headers.add("Set-Cookie", _set_cookie(cookie))
    return web.Response(status=int(message.status_code), headers=headers, body=_body(message.body))


def _body(value: TypedData) -> bytes:
    return value.value if isinstance(value.value, bytes) else str(value.value or "").encode()


def _set_cookie(cookie: RpcHttpCookie) -> str:
    jar: SimpleCookie = SimpleCookie({cookie.name: cookie.value})
    morsel = jar[cookie.name]
    morsel["domain"] = cookie.domain.value if cookie.domain else ""
    morsel["path"] = cookie.path.value if cookie.path else ""
    morsel["max-age"] = int(cookie.max_age.value) if cookie.max_age else ""
    morsel["secure"] = bool(cookie.secure and cookie.secure.value)
    morsel["httponly"] = bool(cookie.http_only and cookie.http_only.value)
    morsel["samesite"] = _SAME_SITE.get(cookie.same_site, "")
    return morsel.OutputString()
