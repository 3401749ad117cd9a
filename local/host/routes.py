"""Route templates of HTTP functions, with the syntax of ASP.NET Core that the cloud's host uses.

`a/{b}/{c:int}/{d?}`, `{*rest}`, default values `{e=1}`; several constraints may follow each other.
"""

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from local.host.functions import StartError

_PARAMETER = re.compile(
    r"\{(?P<all>\*{0,2})(?P<name>[A-Za-z_]\w*)(?P<constraints>(:[A-Za-z]+(\([^)]*\))?)*)"
    r"(=(?P<default>[^}?]*))?(?P<optional>\?)?\}"
)
_CONSTRAINT = re.compile(r":(?P<name>[A-Za-z]+)(\((?P<arguments>[^)]*)\))?")
_INT32 = 2**31
_INT64 = 2**63

type Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Part:
    """One segment of a template: a literal text, or a parameter if `name` is set."""

    literal: str = ""
    name: str = ""
    checks: tuple[Check, ...] = ()
    optional: bool = False
    default: str | None = None
    catch_all: bool = False

    @property
    def rank(self) -> int:
        """Segments that match less come first."""
        if not self.name:
            return 0
        return (4 if self.catch_all else 2) - bool(self.checks)


@dataclass(frozen=True, slots=True)
class Route:
    """A parsed template.

    Attributes:
        rank: orders the routes of an app: of two that match, the smaller one serves the request.
    """

    parts: tuple[_Part, ...]

    @classmethod
    def parse(cls, template: str) -> Self:
        """Parse a template.

        Raises:
            StartError: it is malformed, or has a constraint that this host does not know.
        """
        parts = tuple(_parse_part(template, text) for text in template.strip("/").split("/") if text)
        if any(part.catch_all for part in parts[:-1]):
            raise StartError(f"route {template!r}: only the last segment may take the rest of the path")
        return cls(parts)

    @property
    def rank(self) -> tuple[int, ...]:
        """See the class."""
        return tuple(part.rank for part in self.parts)

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The parameters' values if the segments of a path fit, else None."""
        values: dict[str, str] = {}
        for position, part in enumerate(self.parts):
            if part.catch_all:
                values[part.name] = "/".join(segments[position:])
                return values
            if position >= len(segments):
                if part.default is not None:
                    values[part.name] = part.default
                elif not part.optional:
                    return None
            elif not _match_part(part, segments[position], values):
                return None
        return values if len(segments) <= len(self.parts) else None


def split_path(raw_path: str) -> list[str]:
    """The decoded segments of a path as it stands in a request."""
    return [unquote(segment) for segment in raw_path.split("/") if segment]


def _match_part(part: _Part, segment: str, values: dict[str, str]) -> bool:
    if not part.name:
        return segment.lower() == part.literal.lower()
    values[part.name] = segment
    return all(check(segment) for check in part.checks)


def _parse_part(template: str, text: str) -> _Part:
    match = _PARAMETER.fullmatch(text)
    if match is None:
        if "{" in text or "}" in text:
            raise StartError(f"route {template!r}: {text!r} is neither a text nor one parameter")
        return _Part(literal=text)
    constraints = _CONSTRAINT.finditer(match["constraints"])
    return _Part(
        name=match["name"],
        checks=tuple(_check(template, item["name"], item["arguments"]) for item in constraints),
        optional=bool(match["optional"]),
        default=match["default"],
        catch_all=bool(match["all"]),
    )


def _check(template: str, name: str, arguments: str | None) -> Check:
    plain: dict[str, Check] = {
        "int": lambda text: _integer(text, _INT32),
        "long": lambda text: _integer(text, _INT64),
        "bool": lambda text: text.lower() in {"true", "false"},
        "alpha": lambda text: re.fullmatch(r"[A-Za-z]*", text) is not None,
        "guid": _guid,
        "required": bool,
    }
    measured: dict[str, Callable[[str], int]] = {"length": len, "range": int}
    key = name.lower()
    if arguments is None and key in plain:
        return plain[key]
    numbers = _numbers(arguments)
    if numbers:
        least, most = numbers[0], numbers[-1]
        bounds: dict[str, Check] = {
            "minlength": lambda text: len(text) >= least,
            "maxlength": lambda text: len(text) <= least,
            "min": lambda text: _integer(text, _INT64) and int(text) >= least,
            "max": lambda text: _integer(text, _INT64) and int(text) <= least,
            "length": lambda text: least <= measured["length"](text) <= most,
            "range": lambda text: _integer(text, _INT64) and least <= measured["range"](text) <= most,
        }
        if key in bounds:
            return bounds[key]
    raise StartError(f"route {template!r}: this host has no constraint {name!r}")


def _numbers(arguments: str | None) -> list[int]:
    parts: Iterable[str] = (arguments or "").split(",")
    texts = [part.strip() for part in parts]
    return [int(text) for text in texts] if all(re.fullmatch(r"-?\d+", text) for text in texts) else []


def _integer(text: str, bound: int) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,20}", text) is not None and -bound <= int(text) < bound


def _guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
