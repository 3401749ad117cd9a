"""What a benchmark found: rows, as a table for people and as JSON for programs."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

_WIDTH = 120
"""Columns where no terminal says how wide it is."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a value should be.

    Attributes:
        number: the limit.
        at_least: whether the value should not be below it; otherwise it should not be above.
    """

    number: float
    at_least: bool

    def holds(self, value: float) -> bool:
        """Whether the value is as it should be."""
        return value >= self.number if self.at_least else value <= self.number

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.number:g}"


def at_least(number: float) -> Goal:
    """The value should not be below."""
    return Goal(number, at_least=True)


def at_most(number: float) -> Goal:
    """The value should not be above."""
    return Goal(number, at_least=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        what: says in words what was measured.
        value: the figure.
        runs: from how many measurements it comes.
        goal: what it should be; None where we hold ourselves to nothing.
        key: names it in the JSON file; empty for figures that only explain others.
        unit: of the figure, for people.
    """

    what: str
    value: float
    runs: int
    goal: Goal | None = None
    key: str = ""
    unit: str = ""

    @property
    def rounded(self) -> float:
        """The value as it is written, by which it is judged too."""
        return round(self.value, 3)

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        return None if self.goal is None else self.goal.holds(self.rounded)


@dataclass(frozen=True, slots=True)
class Options:
    """How to run.

    Attributes:
        quick: small inputs that only show that everything works.
        rounds: how often the ways of one comparison take turns.
        say: shows a line of progress.
    """

    quick: bool
    rounds: int
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark that can be run.

    Attributes:
        name: for people.
        keys: of the rows that it yields; the first part of one selects it.
        run: measures.
    """

    name: str
    keys: tuple[str, ...]
    run: Callable[[Options], Iterator[Row]]


def to_json(rows: Iterable[Row]) -> dict[str, dict[str, float | bool | int]]:
    """The rows that have a key and a goal, by key."""
    return {
        row.key: {"value": row.rounded, "goal": row.goal.number, "holds": bool(row.holds), "runs": row.runs}
        for row in rows
        if row.key and row.goal is not None
    }


def write_json(rows: Iterable[Row], path: Path) -> None:
    """Write the JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json(rows), indent=2) + "\n")


def show(rows: Sequence[Row]) -> None:
    """Print the table, and under it what does not hold."""
    table = Table("what", "measured", "goal", "holds", "runs")
    for row in rows:
        holds = {True: "yes", False: "[bold red]NO[/]", None: ""}[row.holds]
        figure = f"{row.value:.2f}{' ' if row.unit else ''}{row.unit}"
        table.add_row(row.what, figure, "" if row.goal is None else str(row.goal), holds, str(row.runs))
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table)
    missed = [row for row in rows if row.holds is False]
    for row in missed:
        console.print(f"Does not hold: {row.what}: {row.value:.2f}, goal {row.goal}", markup=False)
    if rows and not missed:
        console.print("Every goal that was measured holds.")
