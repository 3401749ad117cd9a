"""Requests, responses and refusals: all that the parts of the simulated Azure say to each other.

A handler takes a `Request` and gives back a `Response` or raises a `Refusal`; neither knows sockets.
"""

import json
from collections.abc import Mapping
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
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """Path, decoded, without query and without a slash at the end."""
        return unquote(urlsplit(self.url).path).rstrip("/") or "/"

    @property
    def host_url(self) -> str:
        """Scheme and host: what an absolute link back to us starts with."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; the last of a name counts."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

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
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        bare: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        error = {"code": code, "message": message}
        body = json.dumps(error if bare else {"error": error}).encode()
        self.response = Response(status, body, {"Content-Type": _JSON, **(headers or {})})
