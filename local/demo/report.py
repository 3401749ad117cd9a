"""What the demo shows at its end."""

import json
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from local.demo.checks import CONDENSED, Claim, Record, Result


def show_table(console: Console, results: Sequence[Result]) -> None:
    """One column for each customer."""
    table = Table(title="What came out", title_justify="left")
    table.add_column("")
    for result in results:
        table.add_column(result.scene.name, justify="right")
    columns = [_column(result) for result in results]
    for name in columns[0]:
        table.add_row(name, *(column[name] for column in columns))
    console.print(table)


def _column(result: Result) -> dict[str, str]:
    subscriptions = result.integration["counts"]["subscriptions"]
    reasons = Counter(each["reason"] for each in result.subscriptions if each["reason"])
    counts = result.counts
    return {
        "subscriptions": str(subscriptions["total"]),
        "  configured": str(subscriptions["configured"]),
        "  not configured, and why": "\n".join(
            f"{number} {reason}" for reason, number in sorted(reasons.items())
        )
        or "-",
        "entries in": str(counts["in"]),
        "  condensed": f"{counts['condensed']} into {len(result.records)} records",
        "  passed through": str(counts["passedThrough"]),
        "  duplicates": str(counts["duplicates"]),
        "  set aside": str(counts["setAside"]),
        "  parked": str(counts["parked"]),
    }


def show_record(console: Console, results: Sequence[Result]) -> None:
    """One condensed record in full: the one that tells most of request, response and result."""
    records = [record for result in results for record in result.records]
    record = max(records, key=_telling)
    console.print("\n[bold]One condensed record in full[/bold]")
    console.print(json.dumps(record, indent=2, ensure_ascii=False), markup=False)


def show_claims(console: Console, claims: Sequence[Claim]) -> None:
    """Each claim, and what was seen instead where it does not hold."""
    console.print()
    for claim in claims:
        mark = "[green]holds[/green]" if claim.holds else "[red]FAILS[/red]"
        console.print(f"  {mark}  {claim.text}")
        if not claim.holds:
            console.print(f"         {claim.seen}", markup=False)


def _telling(record: Record) -> tuple[bool, int, int]:
    statuses = record[CONDENSED]["statuses"]
    request = "requestbody" in statuses.get("start", {}).get("properties", {})
    return (request, len({"start", "accept", "success"} & statuses.keys()), -len(json.dumps(record)))
