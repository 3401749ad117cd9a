"""The demo's claims, checked against what really happened in the simulated Azure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from local.app_client import CondensedFile
from local.azure.story import TrueOperation
from local.demo.scene import DIRTY_ENTRIES, CustomerScene

CONDENSED = "azure_activity_administrative_condensed"

type Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that must be true.

    Attributes:
        text: the claim.
        holds: whether it is true.
        seen: what was there, if it is not.
    """

    text: str
    holds: bool
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for one customer.

    Attributes:
        scene: the customer.
        sent: how many entries Azure has put into its hubs.
        integration: what the API says of it.
        subscriptions: what the API says of each of its subscriptions.
        files: its condensed files.
    """

    scene: CustomerScene
    sent: int
    integration: Record
    subscriptions: list[Record]
    files: list[CondensedFile]

    @property
    def counts(self) -> dict[str, int]:
        """Entries, as the API counts them."""
        found: dict[str, int] = self.integration["counts"]["entries"]
        return found

    @property
    def records(self) -> list[Record]:
        """Condensed records, each in its last revision."""
        latest: dict[str, Record] = {}
        for file in self.files:
            for record in file.records:
                facts = record.get(CONDENSED)
                if facts is not None:
                    known = latest.get(facts["uid"])
                    if known is None or known[CONDENSED]["revision"] < facts["revision"]:
                        latest[facts["uid"]] = record
        return list(latest.values())

    @property
    def passed_through(self) -> list[Record]:
        """Records that were not condensed."""
        return [record for file in self.files for record in file.records if CONDENSED not in record]


def claims(results: Iterable[Result], messages: list[Record]) -> list[Claim]:
    """All claims about all customers."""
    found: list[Claim] = []
    announced = sorted(message["blob"] for message in messages)
    written = sorted(file.blob for result in results for file in result.files)
    found.append(
        Claim("each condensed file was announced once", announced == written, f"{announced} != {written}")
    )
    for result in results:
        found += [*_coverage(result), *_counts(result), *_content(result)]
    return found


def _coverage(result: Result) -> list[Claim]:
    scene = result.scene
    by_coverage: dict[str, set[str]] = {}
    for each in result.subscriptions:
        by_coverage.setdefault(each["coverage"], set()).add(each["subscriptionId"])
    reasons = {each["subscriptionId"]: each["reason"] for each in result.subscriptions if each["reason"]}
    expected = {
        subscription: reason
        for subscription, reason in (
            (scene.not_delegated, "not_delegated"),
            (scene.disabled, "subscription_disabled"),
        )
        if subscription is not None
    }
    configured = by_coverage.get("configured", set())
    return [
        Claim(
            f"{scene.name}: all {len(scene.watched)} delegated subscriptions are configured",
            configured == set(scene.watched),
            str(by_coverage),
        ),
        Claim(f"{scene.name}: every other one has its reason", reasons == expected, str(reasons)),
    ]


def _counts(result: Result) -> list[Claim]:
    name, counts = result.scene.name, result.counts
    parts = ("condensed", "passedThrough", "duplicates", "setAside", "parked")
    members = sum(record[CONDENSED]["num_correlated_records"] for record in result.records)
    return [
        Claim(
            f"{name}: every entry that came in is accounted for",
            counts["in"] == sum(counts[part] for part in parts),
            str(counts),
        ),
        Claim(
            f"{name}: every entry that Azure wrote came in",
            counts["in"] == result.sent,
            f"{counts['in']} of {result.sent}",
        ),
        Claim(
            f"{name}: the files hold what the counts say",
            (members, len(result.passed_through)) == (counts["condensed"], counts["passedThrough"]),
            f"{members} condensed and {len(result.passed_through)} passed through in files, {counts}",
        ),
        Claim(
            f"{name}: nothing waits any more, and what was malformed is set aside",
            (counts["parked"], counts["setAside"]) == (0, DIRTY_ENTRIES),
            str(counts),
        ),
    ]


def _content(result: Result) -> list[Claim]:
    name = result.scene.name
    truth = {_key(operation): operation for played in result.scene.played for operation in played.operations}
    seen = {_record_key(record): record for record in result.records}
    wrong = [key for key, operation in truth.items() if not _agrees(operation, seen.get(key))]
    own = {subscription.lower() for subscription in result.scene.subscriptions}
    foreign = [
        record
        for record in [*result.records, *result.passed_through]
        if str(record.get("resourceId", "")).lower().split("/")[2:3] not in [[each] for each in own]
    ]
    return [
        Claim(
            f"{name}: {len(truth)} operations have one record each, with the right outcome and attempts",
            not wrong,
            str(wrong[:3]),
        ),
        Claim(f"{name}: no record of anybody else is in its files", not foreign, str(len(foreign))),
    ]


def _agrees(operation: TrueOperation, record: Record | None) -> bool:
    if record is None:
        return False
    facts = record[CONDENSED]
    return bool(
        facts["num_correlated_records"] == len(operation.result_types)
        and facts["attempts"] == operation.attempts
        and facts["outcome"] == (operation.outcome or "unknown")
    )


def _key(operation: TrueOperation) -> tuple[str, str, str]:
    return (
        operation.correlation_id.lower(),
        operation.operation_name.lower(),
        operation.resource_id.lower(),
    )


def _record_key(record: Record) -> tuple[str, str, str]:
    return (
        str(record.get("correlationId")).lower(),
        str(record.get("operationName")).lower(),
        str(record.get("resourceId")).lower(),
    )
