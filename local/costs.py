"""The page of the documentation that estimates costs, computed from the assumptions that it lists.

python -m local.costs > docs/costs.md
"""

import math
import sys
from dataclasses import dataclass, replace

HOURS = 730
DAYS = 30.4
GB = 1e9


@dataclass(frozen=True, slots=True)
class Price:
    """One price in US dollars.

    Attributes:
        what: is paid for.
        dollars: per unit.
        unit: of what.
        source: where it was compared, or has to be.
    """

    what: str
    dollars: float
    unit: str
    source: str


_EVENT_HUBS = "not compared; azure.microsoft.com/pricing/details/event-hubs"
_BLOBS = "not compared; azure.microsoft.com/pricing/details/storage/blobs"
_MONITOR = "not compared; azure.microsoft.com/pricing/details/monitor"

UNIT = Price("Event Hubs Standard, throughput unit", 0.03, "hour", _EVENT_HUBS)
CAPTURE = Price(
    "Event Hubs Capture, per throughput unit",
    0.10,
    "hour",
    f"{_EVENT_HUBS}. About three times the unit's price: sourced, azure.cn/en-us/pricing/details/event-hubs",
)
INGRESS = Price("Event Hubs ingress", 0.028, "million events of up to 64 KB", _EVENT_HUBS)
MEMORY = Price(
    "Functions, Flex Consumption, on demand",
    0.000026,
    "GB-second",
    "sourced, modal.com/blog/azure-function-pricing-guide (May 2025)",
)
EXECUTION = Price(
    "Functions, executions", 0.40, "million", "not compared; azure.microsoft.com/pricing/details/functions"
)
CAPACITY = Price("Storage, hot, zone-redundant", 0.023, "GB and month", _BLOBS)
WRITE = Price("Storage, writes", 0.065, "10,000", _BLOBS)
READ = Price("Storage, reads", 0.005, "10,000", _BLOBS)
TABLE = Price(
    "Storage, table and queue operations", 0.00036, "10,000", "not compared; the pages of tables and queues"
)
LOGS = Price("Log Analytics ingestion", 2.30, "GB", _MONITOR)
EVENTS = Price("Event Grid", 0.60, "million", "not compared; azure.microsoft.com/pricing/details/event-grid")
EXPORT = Price("data export from Log Analytics (customer)", 0.10, "GB", _MONITOR)
STREAM = Price("resource logs to Event Hubs (customer)", 0.25, "GB", _MONITOR)
PRICES = (
    UNIT, CAPTURE, INGRESS, MEMORY, EXECUTION, CAPACITY, WRITE, READ, TABLE, LOGS, EVENTS, EXPORT, STREAM,
)  # fmt: skip

FREE_MEMORY, FREE_EXECUTIONS, FREE_LOGS, FREE_EVENTS = 100_000, 250_000, 5, 100_000
"""GB-seconds, executions, GB and events that each month are free."""


@dataclass(frozen=True, slots=True)
class Case:
    """How large a provider is, and what there is to collect.

    Attributes:
        subscriptions: of all customers.
        customers: tenants.
        regions: in which any of them has something.
        regions_each: in which each of them has something.
        activity: entries of the activity log per subscription and day.
        vaults: key vaults per subscription.
        audit: entries per vault and day.
        entra: entries per customer and day.
        capture_seconds: a file at least this often (LIGHTKEEPER_CAPTURE_INTERVAL_SECONDS).
        partitions: of each hub (LIGHTKEEPER_HUB_PARTITIONS).
        hubs_per_namespace: LIGHTKEEPER_HUBS_PER_NAMESPACE.
    """

    subscriptions: int
    customers: int
    regions: int
    regions_each: int
    activity: int = 1_500
    vaults: int = 2
    audit: int = 2_000
    entra: int = 50_000
    capture_seconds: int = 60
    partitions: int = 4
    hubs_per_namespace: int = 10

    @property
    def hubs(self) -> int:
        """Event hubs: one per customer and region."""
        return self.customers * self.regions_each

    @property
    def namespaces(self) -> int:
        """Namespaces, if customers are spread evenly."""
        return self.regions * math.ceil(self.hubs / self.regions / self.hubs_per_namespace)

    @property
    def entries_a_day(self) -> int:
        """Entries of all kinds."""
        return self.subscriptions * (self.activity + self.vaults * self.audit) + self.customers * self.entra

    @property
    def audit_gb(self) -> float:
        """Resource logs a day, 1.5 KB each."""
        return self.subscriptions * self.vaults * self.audit * 1_500 / GB

    @property
    def entra_gb(self) -> float:
        """Entra's logs a day, 4 KB each."""
        return self.customers * self.entra * 4_000 / GB

    @property
    def gb_a_day(self) -> float:
        """All of them; an entry of the activity log has 2.5 KB."""
        return self.subscriptions * self.activity * 2_500 / GB + self.audit_gb + self.entra_gb

    @property
    def files(self) -> float:
        """Capture files a month, with something in every window."""
        return self.hubs * self.partitions * 86_400 / self.capture_seconds * DAYS

    @property
    def jobs(self) -> float:
        """Timers and jobs a month: nine timers and eight plans per customer in five minutes, and visits."""
        return (288 * (9 + 8 * self.customers) + 10 * self.subscriptions) * DAYS


CASES = (Case(1, 1, 1, 1), Case(100, 1, 3, 3), Case(2_000, 20, 5, 3))


def bill(case: Case) -> dict[str, float]:
    """What the provider pays a month, in dollars."""
    memory = case.files * 0.4 * 2 + case.jobs * 0.2 * 2
    kept = case.gb_a_day * 30 + case.gb_a_day * 0.15 * 90
    logs = (case.files * 3_000 + case.jobs * 1_000) / GB
    return {
        "Event Hubs, throughput units": case.namespaces * HOURS * UNIT.dollars,
        "Event Hubs, Capture": case.namespaces * HOURS * CAPTURE.dollars,
        "Event Hubs, ingress": case.entries_a_day * DAYS / 5 / 1e6 * INGRESS.dollars,
        "Functions": max(0, memory - FREE_MEMORY) * MEMORY.dollars
        + max(0, case.files + case.jobs - FREE_EXECUTIONS) / 1e6 * EXECUTION.dollars,
        "Storage, capacity": kept * CAPACITY.dollars,
        "Storage, transactions": (
            case.files * (2.3 * WRITE.dollars + 2 * READ.dollars + 10 * TABLE.dollars)
            + case.jobs * 6 * TABLE.dollars
        )
        / 10_000,
        "logs of the app": max(0, logs - FREE_LOGS) * LOGS.dollars,
        "Event Grid": max(0, case.files - FREE_EVENTS) / 1e6 * EVENTS.dollars,
    }


def customers_bill(case: Case) -> float:
    """What the customers pay a month for what leaves, in dollars."""
    return (case.entra_gb * EXPORT.dollars + case.audit_gb * STREAM.dollars) * DAYS


def page() -> str:
    """The whole page."""
    totals = [sum(bill(case).values()) for case in CASES]
    largest = CASES[-1]
    slower = sum(bill(replace(largest, capture_seconds=300)).values())
    namespace = HOURS * (UNIT.dollars + CAPTURE.dollars)
    return _PAGE.format(
        prices="\n".join(
            f"| {each.what} | {each.dollars:.6f}".rstrip("0") + f" per {each.unit} | {each.source} |"
            for each in PRICES
        ),
        head=" | ".join(
            f"{case.subscriptions:,} subscription{'s' * (case.subscriptions > 1)}" for case in CASES
        ),
        sizes="\n".join(
            [
                _row("entries a day", [f"{case.entries_a_day:,}" for case in CASES]),
                _row("GB a day", [f"{case.gb_a_day:.3g}" for case in CASES]),
                _row("namespaces, hubs", [f"{case.namespaces}, {case.hubs}" for case in CASES]),
                _row("capture files a month", [f"{round(case.files, -3):,.0f}" for case in CASES]),
            ]
        ),
        bills="\n".join(_row(name, [f"{bill(case)[name]:,.0f}" for case in CASES]) for name in bill(largest)),
        totals=_row("**together**", [f"**{total:,.0f}**" for total in totals]),
        each=_row(
            "**per subscription**",
            [f"**{total / case.subscriptions:,.2f}**" for total, case in zip(totals, CASES, strict=True)],
        ),
        customers=_row(
            "data export of the Entra tables, and resource logs",
            [f"{customers_bill(case):,.0f}" for case in CASES],
        ),
        files_a_day=f"{largest.partitions * 86_400 // largest.capture_seconds:,}",
        saved=f"{round(totals[-1] - slower, -1):,.0f}",
        namespace=f"{namespace:.0f}",
    )


def _row(name: str, cells: list[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


_PAGE = """\
# Costs

Estimates, not offers. They show what the bill depends on and which lever moves it. Check every price on
Azure's own pages before you rely on it: prices differ by region, agreement and month. `local/costs.py`
computes this page; change the numbers there to get your own.

## Prices assumed
US dollars, pay as you go, a region such as East US, a month of 730 hours. *Sourced* prices were compared with
a published page; the others are list prices that could not be compared when this was written.

| what | price | source |
|---|---|---|
{prices}

Free each month: 100,000 GB-seconds and 250,000 executions, 5 GB of logs, 100,000 events. The export of the
activity log is free for the customer.

## Assumptions
- Each subscription writes 1,500 activity-log entries a day (2.5 KB each) and has two key vaults with 2,000
  audit entries a day each (1.5 KB). Each customer has 50,000 sign-in and audit entries a day (4 KB).
- One region for the single subscription; three regions for 100 subscriptions of one customer; for 2,000
  subscriptions twenty customers with 100 each, every one in three of five regions.
- Capture every 60 s with four partitions, and *something* in every window: {files_a_day} files per hub and
  day. This is the worst case; where nights are quiet there are fewer, and empty ones are not written.
- 0.4 s at 2 GB per file, 0.2 s per job. Five entries to an event. One throughput unit per namespace. Capture
  files are kept for 30 days, condensed ones (15 % of the size) for 90.

## The provider's bill, per month
| | {head} |
|---|---:|---:|---:|
{sizes}
{bills}
{totals}
{each}

Private networking adds three private endpoints, about 22 a month, and what passes through them.

## The customers' bill, per month
| | {head} |
|---|---:|---:|---:|
{customers}

Not in it: the workspace itself with its ingestion, and Microsoft Defender for Cloud, which the customer has or
has not.

## Levers
| lever | effect |
|---|---|
| `LIGHTKEEPER_CAPTURE_INTERVAL_SECONDS` from 60 to 300 | a fifth of the files: at 2,000 subscriptions about {saved} a month less; entries arrive up to four minutes later |
| `LIGHTKEEPER_HUB_PARTITIONS` from 4 to 2, for hubs to come | half of the files; half of the throughput of a hub |
| fewer regions | a namespace with Capture costs about {namespace} a month, idle or not. Where customers have resources decides; `homeRegion` at least need not add a region |
| `LIGHTKEEPER_MONITORED_TYPES` | each further type adds volume, on both bills |
| many customers in one region | up to ten share a namespace |
| `logRetentionDays`, `captureRetentionDays`, `condensedRetentionDays` | capacity |
"""  # noqa: E501 - rows of tables


if __name__ == "__main__":
    sys.stdout.write(page())
