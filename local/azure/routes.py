"""Routing: method, path template and api-version lead to one handler.

Each API of Azure is one module with a `ROUTES` tuple; `app.py` strings them together.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from local.azure.http import Json, Refusal, Request, Response
from local.azure.world import Principal, World

_GROUP = r"/subscriptions/[^/]+/resourcegroups/[^/]+"
_ANY = {
    "scope": rf"{_GROUP}/providers/.+?",
    "place": r"/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?",
    "resource": rf"{_GROUP}/providers/(?!.+/providers/)[^/]+(?:/[^/]+/[^/]+)+",
}


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler gets to see of one authorised call.

    Attributes:
        world: all state.
        request: as it came.
        path: the template's parameters, as the caller spelled them.
        principal: who calls.
        stale: whether to show what was there before the last change; a fault, for handlers that can.
    """

    world: World
    request: Request
    path: Mapping[str, str]
    principal: Principal
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of one API.

    Attributes:
        method: upper case.
        template: path with `{name}` for one segment and at its beginning perhaps `{+scope}` for anything in
            a resource group, `{+place}` for a subscription or resource group, or `{+resource}` for the
            ID of a resource.
        versions: api-versions that are served, the newest last; none serves any.
        action: what a role must allow, as `Microsoft.EventHub/namespaces/write`; `{type}` and `{provider}`
            stand for what the path names; empty needs none.
        handler: answers the call.
        scope_cut: segments at the path's end that do not belong to the scope of the action.
        changes: whether a POST changes something.
        own_quota: whether the API counts calls itself, so that Resource Manager's buckets do not.
    """

    method: str
    template: str
    versions: tuple[str, ...]
    action: str
    handler: Callable[[Call], Response]
    scope_cut: int = 0
    changes: bool = False
    own_quota: bool = False
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        escaped = re.escape(self.template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\+", "+")
        some = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", escaped)
        whole = re.sub(r"\{\+(\w+)\}", lambda found: f"(?P<{found[1]}>{_ANY[found[1]]})", some)
        object.__setattr__(self, "pattern", re.compile(whole, re.IGNORECASE))

    @property
    def kind(self) -> str:
        """Under which name its calls are counted."""
        return f"{self.method} {self.template}"

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.changes or self.method in {"PUT", "PATCH", "DELETE"}

    def action_on(self, path: str) -> str:
        """What a role must allow for a call on this path."""
        if "{" not in self.action:
            return self.action
        provider, *rest = path.rsplit("/providers/", maxsplit=1)[-1].split("/")
        return self.action.format(provider=provider, type="/".join([provider, *rest[0::2]]))

    def scope(self, path: str) -> str:
        """The scope over which the action must be allowed."""
        return "/".join(path.split("/")[: -self.scope_cut or None]) or "/"


class Router:
    """Finds the route of a request.

    Args:
        routes: the first that fits wins, so the narrower stand first.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._keyed: dict[tuple[str, str, str, int], list[Route]] = {}
        self._open: dict[str, list[Route]] = {}
        for route in routes:
            key = _key(route.method, route.template)
            if "{" in key[1] + key[2]:
                self._open.setdefault(route.method, []).append(route)
            else:
                self._keyed.setdefault(key, []).append(route)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a path, and the parameters it names."""
        for routes in (self._keyed.get(_key(method, path), ()), self._open.get(method, ())):
            for route in routes:
                if match := route.pattern.fullmatch(path):
                    return route, match.groupdict()
        return None


def _key(method: str, path: str) -> tuple[str, str, str, int]:
    """By which few routes are told from many: the last provider, its type, and how much follows."""
    _, marker, tail = path.lower().rpartition("/providers/")
    if not marker:
        if "{+" in path:
            return method, "{", "", 0
        return method, "", "", path.count("/")
    provider, _, rest = tail.partition("/")
    return method, provider, rest.partition("/")[0], rest.count("/")


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
    if route.versions and version not in route.versions:
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
        again = urlencode({**query, "$skiptoken": str(first + size)}, quote_via=quote, safe="$")
        body["nextLink"] = f"{call.request.host_url}{quote(call.request.path)}?{again}"
    return Response.of(body)
