"""HTTP answers as values, and problem details."""

import json
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: HTTP status.
        body: JSON text, in ASCII: whatever text is shown, it can be sent.
        content_type: media type.
        headers: further headers.
    """

    status: int
    body: str
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def answer(status: int, value: Any, headers: dict[str, str] | None = None) -> Answer:  # noqa: ANN401 - any JSON
    """A JSON answer."""
    return Answer(status, json.dumps(value), headers=headers or {})


def problem_answer(status: int, title: str, detail: str, **members: object) -> Answer:
    """Problem details as in RFC 9457; `type` is left at its default `about:blank`."""
    value = {"title": title, "status": status, "detail": detail, **members}
    return Answer(status, json.dumps(value), PROBLEM)
