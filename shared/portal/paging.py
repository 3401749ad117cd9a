"""Query parameters of paged listings, checked where they come in."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.model.upkeep import Coverage

MOST: Final = 1000
"""Items on a page at most (Table service limit)."""

_DEFAULT: Final = 100
_NUMBER: Final = re.compile(r"[0-9]{1,4}")
_LONGEST_TOKEN: Final = 8192


class InvalidQueryError(ValueError):
    """A query parameter is wrong.

    Attributes:
        field: which.
    """

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field} {detail}")
        self.field = field
        self.detail = detail


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted.

    Attributes:
        most: items on it at most.
        coverage: only items that have come so far; empty for all.
        start: where it starts; None for the first page.
    """

    most: int
    coverage: str
    start: tuple[str, str] | None


def parse_page(query: Mapping[str, str]) -> PageRequest:
    """Read `coverage`, `top` and `continuationToken`.

    Raises:
        InvalidQueryError: one of them is wrong.
    """
    coverage = query.get("coverage", "")
    if coverage and coverage not in {each.value for each in Coverage}:
        raise InvalidQueryError("coverage", f"must be one of {', '.join(each.value for each in Coverage)}")
    top = query.get("top", "") or str(_DEFAULT)
    if not _NUMBER.fullmatch(top) or not 1 <= int(top) <= MOST:
        raise InvalidQueryError("top", f"must be a whole number from 1 to {MOST}")
    token = query.get("continuationToken", "")
    return PageRequest(int(top), coverage, _start_of(token) if token else None)


def token_of(start: tuple[str, str]) -> str:
    """The continuation token for a page that starts there."""
    return base64.urlsafe_b64encode(json.dumps(start).encode()).decode()


def _start_of(token: str) -> tuple[str, str]:
    try:
        value = json.loads(base64.b64decode(token[:_LONGEST_TOKEN].encode(), b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        value = None
    match value:
        case [str() as partition, str() as row] if partition.isprintable() and row.isprintable():
            return partition, row
        case _:
            raise InvalidQueryError("continuationToken", "must be as the page before gave it")
