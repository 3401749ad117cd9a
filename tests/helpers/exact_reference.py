"""What correlation has to come to, in the simplest way: everything in memory, one pass, no files."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from shared.model.operations import OperationKey
from tests.capture.activity_log import exact, text

type Members = Counter[str]
_ENDS = {"Success": "success", "Failure": "failure", "Canceled": "cancelled"}


def one_pass(
    files: Sequence[Sequence[dict[str, Any]]],
) -> tuple[dict[str, tuple[Members, int, str]], Members]:
    """By uid the members, attempts and outcome of each operation; and what passes through."""
    operations: defaultdict[OperationKey, dict[str, dict[str, Any]]] = defaultdict(dict)
    incomplete: defaultdict[str, dict[str, tuple[OperationKey, dict[str, Any]]]] = defaultdict(dict)
    passed: Members = Counter()
    for file in files:
        others = set()
        for one in file:
            texts = (
                str(one.get(name) or "").lower() for name in ("correlationId", "operationName", "resourceId")
            )
            key, name = OperationKey(*texts), exact(text(one))
            if one["category"] != "Administrative" or not key.correlation:
                others.add(name)
            elif key.complete:
                operations[key][name] = one
            else:
                incomplete[key.correlation][name] = (key, one)
        passed.update(others)
    for correlation, entries in incomplete.items():
        known = {key for key in operations if key.correlation == correlation}
        names = {key.operation for key in known}
        known |= {key for key, _ in entries.values() if key.operation and key.operation not in names}
        for name, (key, one) in entries.items():
            fits = [
                other
                for other in known
                if key.operation in ("", other.operation) and key.resource in ("", other.resource)
            ]
            if len(fits) == 1:
                operations[fits[0]][name] = one
            else:
                passed[name] += 1
    return {key.uid: _facts(list(entries.values())) for key, entries in operations.items()}, passed


def _facts(entries: list[dict[str, Any]]) -> tuple[Members, int, str]:
    ends = [one for one in sorted(entries, key=lambda one: one["time"]) if one["resultType"] in _ENDS]
    starts = sum(one["resultType"] == "Start" for one in entries)
    outcome = _ENDS[ends[-1]["resultType"]] if ends else "unknown"
    return Counter(exact(text(one)) for one in entries), starts, outcome
