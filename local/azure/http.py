"""Requests, responses and refusals: all that the parts of the simulated Azure say to each other.

A handler takes a `Request` and gives back a `Response` or raises a `Refusal`; neither knows sockets.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

type Json = dict[str, Any]
"""A JSON object as ARM sends and takes it."""

_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    Attributes:
        method: upper case.
        url: absolute URL, query included.
        headers: names in lower case.
        body: as sent.
        path: decoded, without query and without a slash at the end.
        query: its parameters; the last of a name counts.
        host_url: scheme and host, what an absolute link back to us starts with.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    path: str = field(init=False)
    query: Mapping[str, str] = field(init=False)
    host_url: str = field(init=False)

    def __post_init__(self) -> None:
        # A call looks at these many times, so they are worked out once.
        parts = urlsplit(self.url)
        path = unquote(parts.path) if "%" in parts.path else parts.path
        object.__setattr__(self, "path", path.rstrip("/") or "/")
        object.__setattr__(self, "query", dict(parse_qsl(parts.query, keep_blank_values=True)))
        object.__setattr__(self, "host_url", f"{parts.scheme}://{parts.netloc}")

    def json(self) -> Json:
        """The body as a JSON object; an empty body is an empty object.

        Raises:
            Refusal: the body is no JSON object.
        """
        if not self.body:
            return {}
        try:
            value = json.loads(self.body)
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Refusal(
                400, "InvalidRequestContent", "The request content was invalid and could not be read."
            )
        return value


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. `lost` means that the connection breaks instead of it arriving."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False

    @classmethod
    def of(cls, value: Json | None, status: int = 200, **headers: str) -> Self:
        """A JSON answer, or an empty one; underscores in header names become hyphens."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        if value is None:
            return cls(status, b"", named)
        return cls(status, json.dumps(value).encode(), {"Content-Type": _JSON, **named})

    def json(self) -> Json:
        """The body as a JSON object."""
        value: Json = json.loads(self.body)
        return value

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """The same answer with more headers."""
        return replace(self, headers={**self.headers, **headers})

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status < HTTPStatus.BAD_REQUEST


class Refusal(Exception):  # noqa: N818 - it is an answer, not a malfunction
    """A call that Azure refuses.

    Args:
        status: HTTP status.
        code: ARM's error code.
        message: ARM's message.
        bare: whether the body lacks the `error` wrapper, as Microsoft.Insights answers.
        headers: further headers.
        details: `details` of the error, where there are any.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        bare: bool = False,
        headers: Mapping[str, str] | None = None,
        details: Sequence[Json] = (),
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        error: Json = {"code": code, "message": message, **({"details": list(details)} if details else {})}
        body = json.dumps(error if bare else {"error": error}).encode()
        self.response = Response(status, body, {"Content-Type": _JSON, **(headers or {})})


class TextRefusal(Refusal):
    """A refusal whose body is only its message, as Log Analytics answers.

    Args:
        status: HTTP status.
        message: the body.
        plain: whether it is plain text; else a JSON string.
    """

    def __init__(self, status: int, message: str, *, plain: bool = False) -> None:
        super().__init__(status, "", message)
        body, kind = (message, "text/plain; charset=utf-8") if plain else (json.dumps(message), _JSON)
        self.response = Response(status, body.encode(), {"Content-Type": kind})
