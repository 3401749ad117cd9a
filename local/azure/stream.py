"""What flows through event hubs: bodies in partitions, waiting for Capture."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from local.azure.http import Json
from local.azure.world import Hub, World


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an event hub."""

    sequence: int
    offset: int
    enqueued_at: datetime
    body: bytes | None


@dataclass(slots=True)
class Partition:
    """One partition: what Capture has not taken yet, and where its window began.

    `next_sequence` and `next_offset` are those of the next event; `born` is when its hub was made.
    """

    opened_at: datetime
    born: datetime
    events: list[Event] = field(default_factory=list)
    next_sequence: int = 0
    next_offset: int = 0
    size: int = 0


class EventStream:
    """All partitions of all hubs."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.partitions: dict[tuple[str, str, int], Partition] = {}
        self.sent: Counter[tuple[str, str]] = Counter()
        """Bodies sent to each hub."""
        self.records: Counter[tuple[str, str]] = Counter()
        """Records in bodies that Capture will write, by hub."""

    def send_records(self, namespace: str, hub: str, records: Sequence[Json]) -> int:
        """Pack records as Azure Monitor does, several to a body, and spread the bodies over partitions.

        Gives back how many were taken; a hub that is gone takes none.
        """
        rest, chance = list(records), self._world.random
        taken = 0
        while rest:
            count = min(len(rest), chance.choice((1, 1, 2, 3, 5, 8)))
            batch, rest = rest[:count], rest[count:]
            body = json.dumps({"records": batch}, separators=(",", ":"), ensure_ascii=False).encode()
            taken += count if self.send(namespace, hub, body) else 0
        found = self._world.hub(namespace, hub)
        if found and found.captures:
            self.records[namespace.lower(), hub.lower()] += taken
        return taken

    def send_bare(self, namespace: str, hub: str, record: Json) -> int:
        """Send one record as a body of its own, without an envelope; how many were taken."""
        taken = int(self.send(namespace, hub, json.dumps(record, separators=(",", ":")).encode()))
        found = self._world.hub(namespace, hub)
        if found and found.captures:
            self.records[namespace.lower(), hub.lower()] += taken
        return taken

    def partition(self, namespace: str, hub: Hub, number: int) -> Partition:
        """One partition; a hub that was deleted and made anew starts with empty ones."""
        key = (namespace.lower(), hub.name.lower(), number)
        found = self.partitions.get(key)
        if found is None or found.born != hub.created_at:
            found = self.partitions[key] = Partition(self._world.clock.now(), hub.created_at)
        return found

    def send(self, namespace: str, hub: str, body: bytes | None) -> bool:
        """Put one body into a partition drawn by chance; False if no such hub is there and open."""
        found = self._world.hub(namespace, hub)
        if found is None or not self._world.lets_azure_in(namespace):
            return False
        now = self._world.clock.now()
        number = self._world.random.randrange(found.partitions)
        partition = self.partition(namespace, found, number)
        self.sent[namespace.lower(), hub.lower()] += 1
        if not found.captures:
            # Events that were there before Capture was switched on are never captured.
            return True
        event = Event(partition.next_sequence, partition.next_offset, now, body)
        partition.events.append(event)
        partition.size += len(body or b"")
        partition.next_sequence += 1
        partition.next_offset += len(body or b"") + 40
        return True
