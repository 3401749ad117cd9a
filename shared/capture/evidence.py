"""What every run and every day says of itself, so that Application Insights can add it up.

The Functions worker hands on nothing but the text of a log line, so the numbers stand in it as one JSON
object (github.com/Azure/azure-functions-python-worker, issue 1681); an exporter that takes attributes gets
them, too. `docs/metrics.md` says what they mean and how they are asked for.
"""

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Final

import msgspec

from shared.model.captures import Counts
from shared.store.ledger import LedgerEntry

EVENT: Final = "lightkeeper.run"
"""First word of the line of a run. The names in its object are part of what is documented."""

DAY_EVENT: Final = "lightkeeper.day"
"""First word of the line of a day."""

_log = logging.getLogger(__name__)


def report(entry: LedgerEntry) -> None:
    """Log a run that is done: whose, from where, and its counts; no payload."""
    seconds = (
        (entry.finished_at - entry.begun_at).total_seconds() if entry.finished_at and entry.begun_at else None
    )
    facts = {
        "integration": entry.integration_id,
        "run": entry.run,
        "source": entry.source,
        "state": entry.state.value,
        "attempts": entry.attempts,
        "seconds": seconds,
        **asdict(entry.counts),
    }
    _say(EVENT, facts)


def report_day(integration_id: str, day: date, counts: Counts) -> None:
    """Log what a day's runs came to; once more if something of the day changed since."""
    _say(DAY_EVENT, {"integration": integration_id, "day": f"{day:%Y-%m-%d}", **asdict(counts)})


def _say(event: str, facts: Mapping[str, object]) -> None:
    attributes = {f"{event}.{name}": value for name, value in facts.items()}
    _log.info("%s %s", event, msgspec.json.encode(facts).decode(), extra=attributes)
