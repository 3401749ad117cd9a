"""The access keys of the app, and what each of them opens.

As in the cloud: the header `x-functions-key` wins over the query's `code`; the master key opens
everything; a system key opens the webhook of its extension only.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from aiohttp import web

_VARIABLES = {
    "function": "LOCAL_HOST_FUNCTION_KEY",
    "master": "LOCAL_HOST_MASTER_KEY",
    "event_grid": "LOCAL_HOST_EVENTGRID_KEY",
}


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys.

    Attributes:
        function: the host key of functions with level `function`.
        master: opens everything, and alone the `admin` paths and functions of level `admin`.
        event_grid: the system key `eventgrid_extension`.
        generated: names of those that the environment did not set.
    """

    function: str
    master: str
    event_grid: str
    generated: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read LOCAL_HOST_FUNCTION_KEY, …_MASTER_KEY and …_EVENTGRID_KEY; make up what is not set."""
        generated = tuple(name for name, variable in _VARIABLES.items() if not environment.get(variable))
        values = {
            name: environment.get(variable) or secrets.token_urlsafe(32)
            for name, variable in _VARIABLES.items()
        }
        return cls(**values, generated=generated)

    def as_json(self) -> dict[str, str]:
        """The keys by name."""
        return {name: getattr(self, name) for name in _VARIABLES}

    def allow(self, level: str, request: web.Request) -> bool:
        """Whether the request's key opens `anonymous`, `function`, `admin` or `event_grid`."""
        accepted = {
            "anonymous": None,
            "function": (self.function, self.master),
            "admin": (self.master,),
            "event_grid": (self.event_grid, self.master),
        }[level]
        if accepted is None:
            return True
        given = (request.headers.get("x-functions-key") or request.query.get("code") or "").encode()
        return any(hmac.compare_digest(given, key.encode()) for key in accepted)
