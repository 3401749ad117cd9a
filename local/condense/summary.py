"""What the command says about its work."""

from collections.abc import Sequence

from shared.capture.aside import Aside
from shared.model.captures import Counts

_SHOWN = 50


def summary(files: int, counts: Counts, asides: Sequence[Aside]) -> str:
    """A table of counts, and each thing that was set aside with its place and reason."""
    rows = [
        ("files", files, ""),
        ("entries", counts.entries, ""),
        ("operations", counts.operations, "condensed records written"),
        ("condensed", counts.condensed, "entries inside them"),
        ("passed through", counts.passed_through, "entries handed on as they came"),
        ("unmatched", counts.unmatched, "of these, administrative but of no operation"),
        ("duplicates", counts.duplicates, "entries repeated byte for byte"),
        ("set aside", counts.set_aside, "could not be read"),
    ]
    width = max(len(f"{number:,}") for _, number, _ in rows)
    lines = [f"{name:<16}{number:>{width},}  {what}".rstrip() for name, number, what in rows]
    lines += [f"  {aside.position}: {aside.reason.value}: {aside.message}" for aside in asides[:_SHOWN]]
    if len(asides) > _SHOWN:
        lines.append(f"  and {len(asides) - _SHOWN:,} more; --aside FILE keeps all of them")
    return "\n".join(lines)
