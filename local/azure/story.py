"""What a scenario needs to write: a story with entries, and the truth about the operations in it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.azure.entries import Actor, EntryWriter, Operation
from local.azure.http import Json
from local.azure.world import Principal, Subscription

_FIRST = ("amira", "bjorn", "chidi", "dana", "elif", "femi")


@dataclass(frozen=True, slots=True)
class TrueOperation:
    """One operation as it really was; what condensing must find again.

    Attributes:
        correlation_id: as in the entries.
        operation_name: in upper case.
        resource_id: in upper case.
        result_types: of its entries, in order of time.
        attempts: how often it was started.
        outcome: of the latest terminal entry: success, failure or empty.
    """

    correlation_id: str
    operation_name: str
    resource_id: str
    result_types: tuple[str, ...]

    @property
    def attempts(self) -> int:
        """How often it was started."""
        return self.result_types.count("Start")

    @property
    def outcome(self) -> str:
        """`success` or `failure` by the latest terminal entry; empty if there is none."""
        ends = [kind for kind in self.result_types if kind in ("Success", "Failure")]
        return ends[-1].lower() if ends else ""


@dataclass(frozen=True, slots=True)
class Written:
    """What a scenario wrote.

    Attributes:
        scenario: its name.
        subscription_id: where.
        entries: in the order in which they arrive.
        operations: the administrative operations among them.
        passed_through: entries that are not administrative.
        delivered: entries that event hubs took, once for each hub.
        raw_bodies: malformed bodies sent besides.
        empty_files: header-only files written besides.
        duplicates: entries sent a second time, byte for byte, not counted elsewhere.
    """

    scenario: str
    subscription_id: str
    entries: tuple[Json, ...]
    operations: tuple[TrueOperation, ...]
    passed_through: int
    delivered: int = 0
    raw_bodies: int = 0
    empty_files: int = 0
    duplicates: int = 0


@dataclass(slots=True)
class Story:
    """Collects the entries of one scenario in one subscription; `now` is when it ends."""

    writer: EntryWriter
    subscription: Subscription
    actor: Actor
    now: datetime
    timed: list[tuple[datetime, str, Json]] = field(default_factory=list)

    @classmethod
    def begin(cls, writer: EntryWriter, subscription: Subscription) -> "Story":
        """A story with a person of the customer's tenant in it."""
        name = f"{writer.random.choice(_FIRST)}@{subscription.name.rpartition('-')[0] or 'customer'}.example"
        person = Principal(writer.world.guid(), writer.world.guid(), subscription.tenant_id, name)
        address = f"198.51.100.{writer.random.randrange(1, 255)}"
        return cls(writer, subscription, Actor(person, address, "Owner"), writer.world.clock.now())

    def guid(self) -> str:
        """A fresh GUID."""
        return self.writer.world.guid()

    def word(self) -> str:
        """A short name that has not been there before."""
        return f"{self.writer.random.getrandbits(32):08x}"

    def group(self) -> str:
        """ID of one of the subscription's resource groups."""
        own = self.subscription.subscription_id.lower()
        groups = sorted(group for owner, group in self.writer.world.groups if owner == own)
        name = groups[0] if groups else "rg-app"
        return f"/subscriptions/{self.subscription.subscription_id}/resourceGroups/{name}"

    def operation(
        self, action: str, resource_id: str, correlation: str = "", category: str = ""
    ) -> Operation:
        """A call by the story's person."""
        return Operation(
            self.subscription,
            self.actor,
            correlation or self.guid(),
            action,
            resource_id,
            category or "Administrative",
        )

    def add(
        self,
        operation: Operation,
        before_end: float,
        status: str,
        sub_status: str = "",
        *,
        properties: Json | None = None,
        job: bool = False,
        level: str = "",
    ) -> None:
        """Write an entry so many seconds before the story's end."""
        at = self.now - timedelta(seconds=before_end)
        entry = self.writer.entry(
            operation, at, status, sub_status, properties=properties, job=job, level=level
        )
        self.timed.append((at, entry["resultType"], entry))

    def event(self, category: str, before_end: float, **fields: object) -> None:
        """Write an entry that no call caused."""
        at = self.now - timedelta(seconds=before_end)
        entry = self.writer.event(self.subscription, category, at, **fields)
        self.timed.append((at, str(entry.get("resultType", "")), entry))

    def told(self, scenario: str) -> Written:
        """Everything written, in an order of arrival that now and then differs from that of time."""
        chance = self.writer.random
        in_time = sorted(self.timed, key=lambda item: item[0])
        arriving = [entry for _, _, entry in in_time]
        if len(arriving) > 1 and chance.random() < 0.1:  # noqa: PLR2004 - about one in ten arrives out of order
            chance.shuffle(arriving)
        grouped: dict[tuple[str, str, str], list[str]] = {}
        passed = 0
        for _, result_type, entry in in_time:
            if entry["category"] != "Administrative":
                passed += 1
                continue
            key = (entry["correlationId"], entry["operationName"].upper(), entry["resourceId"].upper())
            grouped.setdefault(key, []).append(result_type)
        operations = tuple(TrueOperation(*key, tuple(kinds)) for key, kinds in grouped.items())
        return Written(scenario, self.subscription.subscription_id, tuple(arriving), operations, passed)
