"""Routing: method, path template and api-version lead to one handler.

Each API of Azure is one module with a `ROUTES` tuple; `app.py` strings them together.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from local.azure.http import Json, Refusal, Request, Response
from local.azure.world import Principal, World

_RESOURCE = r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/.+?"


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets to see of one authorised call.

    Attributes:
        world: all state.
        request: as it came.
        path: the template's parameters, as the caller spelled them.
        principal: who calls.
    """

    world: World
    request: Request
    path: Mapping[str, str]
    principal: Principal


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of one API.

    Attributes:
        method: upper case.
        template: path with `{name}` for one segment and a leading `{+scope}` for the ID of any resource in
            a resource group.
        versions: api-versions that are served; the newest last.
        action: what a role must allow, as `Microsoft.EventHub/namespaces/write`; empty needs none.
        handler: answers the call.
        scope_cut: segments at the path's end that do not belong to the scope of the action.
    """

    method: str
    template: str
    versions: tuple[str, ...]
    action: str
    handler: Callable[[Call], Response]
    scope_cut: int = 0
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        escaped = re.escape(self.template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\+", "+")
        some = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", escaped)
        whole = re.sub(r"\{\+(\w+)\}", rf"(?P<\1>{_RESOURCE})", some)
        object.__setattr__(self, "pattern", re.compile(whole, re.IGNORECASE))

    @property
    def kind(self) -> str:
        """Under which name its calls are counted."""
        return f"{self.method} {self.template}"

    @property
    def is_write(self) -> bool:
        """Whether it changes something (a POST that only reads is told by its action)."""
        return self.method in {"PUT", "PATCH", "DELETE"}

    def scope(self, path: str) -> str:
        """The scope over which the action must be allowed."""
        return "/".join(path.split("/")[: -self.scope_cut or None]) or "/"


class Router:
    """Finds the route of a request.

    Args:
        routes: the first that fits wins, so the narrower stand first.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple(routes)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a path, and the parameters it names."""
        for route in self._routes:
            if route.method == method and (match := route.pattern.fullmatch(path)):
                return route, match.groupdict()
        return None


def check_version(route: Route, request: Request) -> None:
    """Hold a call to the api-versions that its operation has.

    Raises:
        Refusal: none is named, or Azure has no such version of this type.
    """
    version = request.query.get("api-version")
    if version is None:
        raise Refusal(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if version not in route.versions:
        kind = route.action.rpartition("/")[0].partition("/")[2] or route.template.strip("/")
        supported = ", ".join(route.versions)
        raise Refusal(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for location '' and API version '{version}' "
            f"for type '{kind}'. The supported api-versions are '{supported}'.",
        )


def page(call: Call, items: Sequence[Json], size: int, **more: object) -> Response:
    """One page of a listing, with an absolute link to the next on the caller's own host."""
    query = call.request.query
    token = query.get("$skiptoken", "0")
    if not token.isdecimal():
        raise Refusal(400, "InvalidSkipToken", "The skip token is not valid.")
    first = int(token)
    body: Json = {"value": list(items[first : first + size]), **more}
    if first + size < len(items):
        version = query["api-version"]
        link = f"{call.request.host_url}{call.request.path}?api-version={version}&$skiptoken={first + size}"
        body["nextLink"] = link
    return Response.of(body)
