"""What every run says of itself, so that Application Insights can add it up.

The Functions worker hands on nothing but the text of a log line, so the numbers stand in it as one JSON
object (github.com/Azure/azure-functions-python-worker, issue 1681); an exporter that takes attributes gets
them, too:

    traces | where message startswith "lightkeeper.run "
           | extend run = parse_json(substring(message, 16))
           | summarize sum(toint(run.entries)), sum(toint(run.condensed)) by tostring(run.integration)
"""

import logging
from dataclasses import asdict
from typing import Final

import msgspec

from shared.store.captures import LedgerEntry

EVENT: Final = "lightkeeper.run"
"""First word of the line. The names in its object are part of what is documented."""

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
    attributes = {f"{EVENT}.{name}": value for name, value in facts.items()}
    _log.info("%s %s", EVENT, msgspec.json.encode(facts).decode(), extra=attributes)
