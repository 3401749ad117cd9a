"""The straightforward way: every entry becomes a dict, and every record is encoded anew.

It does what ours does on good input, with the format of `shared.capture.condense`, and leaves out what only
broken input needs. Its tools are exchangeable: the naive way and its strong peer differ in those alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.ways.outcome import Outcome
from shared.model.ids import stable_hash

type Record = dict[str, Any]

_FOLDED = {
    "started": "start",
    "accepted": "accept",
    "succeeded": "success",
    "failed": "failure",
    "canceled": "cancelled",
}
_TERMINAL = frozenset({"success", "failure", "cancelled"})
_RANKS = {"start": 0, "accept": 1} | dict.fromkeys(_TERMINAL, 3)
_PER_ENTRY = ("properties", "resultSignature")
_CATEGORIES = frozenset({"administrative", "write", "delete", "action"})


@dataclass(frozen=True, slots=True)
class Tools:
    """What the work is done with.

    Attributes:
        bodies: the bodies of the events in a capture file.
        loads: JSON text to values.
        dumps: values to JSON text.
        compress: bytes to gzip.
    """

    bodies: Callable[[Path], Iterable[bytes]]
    loads: Callable[[bytes], Any]
    dumps: Callable[[Any], bytes]
    compress: Callable[[bytes], bytes]


def condense(file: Path, outcome: Outcome, tools: Tools) -> None:
    """Group, condense and compress."""
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for body in tools.bodies(file):
        for record in tools.loads(body)["records"]:
            key = (
                record["correlationId"].lower(),
                record["operationName"].lower(),
                record["resourceId"].lower(),
            )
            group = groups.setdefault(key, [])
            if record not in group:
                group.append(record)
    lines: list[bytes] = []
    parked: list[bytes] = []
    for key, group in groups.items():
        lines += [tools.dumps(record) for record in group if not _administrative(record)]
        members = [(_status(record), record) for record in group if _administrative(record)]
        statuses = {status for status, _ in members}
        if "start" in statuses and not statuses.isdisjoint(_TERMINAL):
            lines.append(tools.dumps(_condensed(key, members)))
        else:
            parked += [tools.dumps(record) for _, record in members]
    outcome.condensed.write_bytes(tools.compress(b"".join(line + b"\n" for line in lines)))
    outcome.parked.write_bytes(b"".join(line + b"\n" for line in parked))


def _administrative(record: Record) -> bool:
    category: str = record["category"]
    return category.lower() in _CATEGORIES


def _status(record: Record) -> str:
    name: str = record["resultType"].lower()
    return _FOLDED.get(name, name)


def _condensed(key: tuple[str, str, str], members: list[tuple[str, Record]]) -> Record:
    members.sort(key=lambda member: (member[1]["time"], _RANKS.get(member[0], 2)))
    base = next(record for status, record in members if status == "start")
    shared = {name: value for name, value in base.items() if name not in _PER_ENTRY}
    statuses: dict[str, Record] = {}
    additional: list[Record] = []
    for status, record in members:
        if status in statuses:
            additional.append(record)
            continue
        statuses[status] = {
            name: value
            for name, value in record.items()
            if name in _PER_ENTRY or name not in shared or shared[name] != value
        }
    condensed: Record = {"num_correlated_records": len(members), "statuses": statuses}
    if additional:
        condensed["additional_records"] = additional
    ends = [status for status, _ in members if status in _TERMINAL]
    condensed["attempts"] = sum(status == "start" for status, _ in members)
    condensed["outcome"] = ends[-1]
    condensed["uid"] = stable_hash(*key)
    condensed["revision"] = 1
    return {**shared, "azure_activity_administrative_condensed": condensed}
