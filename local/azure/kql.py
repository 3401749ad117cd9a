"""The part of the Kusto query language that listings need: `resources | where | project | order by | take`.

    resources | where type in~ ('microsoft.keyvault/vaults') | project id, location | order by id asc

Comparisons: `==`, `!=`, `=~`, `!~`, `in`, `in~`, `!in`, `!in~` between a column and texts; `and`, `or`,
`not`, parentheses. Everything else is not understood, and is never taken for something like it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from local.azure.conditions import Condition, NotUnderstoodError, Row, Tokens, condition

COLUMNS = (
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "managedBy",
    "sku",
    "plan",
    "properties",
    "tags",
    "identity",
    "zones",
    "extendedLocation",
)
"""Columns of the table `resources`, in the order of a query without `project`."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood.

    Attributes:
        conditions: all must hold.
        columns: what is projected, in order.
        order: column and whether descending, the first counts most.
        most: how many rows at most; None for all.
    """

    conditions: tuple[Condition, ...] = ()
    columns: tuple[str, ...] = COLUMNS
    order: tuple[tuple[str, bool], ...] = field(default=())
    most: int | None = None

    def run(self, rows: Iterable[Row]) -> list[dict[str, Any]]:
        """The rows that the query gives; without an order of its own they come by ID."""
        found = [row for row in rows if all(holds(row) for holds in self.conditions)]
        for column, descending in reversed(self.order or (("id", False),)):
            found.sort(key=_sorting(column), reverse=descending)
        return [{name: row[name] for name in self.columns} for row in found[: self.most]]


def read_query(text: str) -> Query:
    """Read a query.

    Raises:
        NotUnderstoodError: it is not in the part that is known here.
    """
    tokens = Tokens(text)
    tokens.take("resources")
    conditions: list[Condition] = []
    columns: tuple[str, ...] = COLUMNS
    order: tuple[tuple[str, bool], ...] = ()
    most: int | None = None
    while tokens.took("|"):
        match tokens.take("where", "project", "order", "sort", "take", "limit").lower():
            case "where":
                conditions.append(condition(tokens, _leaf))
            case "project":
                columns = tuple(_listed(tokens, _column))
            case "order" | "sort":
                tokens.take("by")
                order = tuple(_listed(tokens, _ordering))
            case _:
                most = _number(tokens)
    tokens.end()
    return Query(tuple(conditions), columns, order, most)


def _listed[Item](tokens: Tokens, one: Callable[[Tokens], Item]) -> list[Item]:
    items = [one(tokens)]
    while tokens.took(","):
        items.append(one(tokens))
    return items


def _column(tokens: Tokens) -> str:
    token = tokens.take()
    # Kusto tells case apart in names; there is no column `ID`.
    if token not in COLUMNS:
        raise NotUnderstoodError(token)
    return token


def _ordering(tokens: Tokens) -> tuple[str, bool]:
    column = _column(tokens)
    if tokens.took("asc"):
        return column, False
    tokens.took("desc")
    return column, True  # Kusto orders descending unless told otherwise


def _number(tokens: Tokens) -> int:
    token = tokens.take()
    if not token.isdecimal():
        raise NotUnderstoodError(token)
    return int(token)


def _leaf(tokens: Tokens) -> Condition:
    column = _column(tokens)
    operator = tokens.take("==", "!=", "=~", "!~", "in", "in~", "!in", "!in~")
    if "in" in operator:
        tokens.take("(")
        wanted = frozenset(_listed(tokens, Tokens.text))
        tokens.take(")")
    else:
        wanted = frozenset({tokens.text()})
    negated = operator.startswith("!")
    if operator.endswith("~"):
        lowered = frozenset(text.lower() for text in wanted)
        return lambda row: (str(row[column]).lower() in lowered) is not negated
    return lambda row: (str(row[column]) in wanted) is not negated


def _sorting(column: str) -> Callable[[Row], str]:
    return lambda row: str(row[column] or "")
