"""Conditions over the fields of a row: `and`, `or`, `not`, parentheses, and whatever the leaves are.

OData's `$filter` and Kusto's `where` share this grammar and differ in their leaves.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

type Row = Mapping[str, Any]
"""Field names in lower case and their values."""

type Condition = Callable[[Row], bool]

_OPERATORS = re.compile(r"==|!=|=~|!~|!in~|!in\b|[()|,=]|[^\s\w'\"]")
_WORD = re.compile(r"[\w$@./-]+~?")
_TEXT = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


class NotUnderstoodError(Exception):
    """An expression that is not in the grammar; `token` is where it went wrong."""

    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


class Tokens:
    """The tokens of an expression, read from left to right.

    Args:
        text: the expression.

    Raises:
        NotUnderstoodError: a text in it has no end.
    """

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        at = 0
        while at < len(text):
            if text[at].isspace():
                at += 1
                continue
            found = (
                _TEXT.match(text, at)
                or (_OPERATORS.match(text, at) if text[at] not in "'\"" else None)
                or _WORD.match(text, at)
            )
            if found is None:
                raise NotUnderstoodError(text[at:])
            self._tokens.append(found[0])
            at = found.end()
        self._at = 0

    @property
    def next(self) -> str:
        """The token to come; empty at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, *wanted: str) -> str:
        """Take the next token, which must be one of those wanted, if any are named.

        Raises:
            NotUnderstoodError: it is not.
        """
        token = self.next
        if not token or (wanted and token.lower() not in wanted):
            raise NotUnderstoodError(token)
        self._at += 1
        return token

    def took(self, *wanted: str) -> bool:
        """Take the next token if it is one of those wanted; whether it was."""
        if self.next.lower() in wanted:
            self._at += 1
            return True
        return False

    def end(self) -> None:
        """Hold the expression to its end.

        Raises:
            NotUnderstoodError: there is more.
        """
        if self.next:
            raise NotUnderstoodError(self.next)

    def text(self) -> str:
        """Take a quoted text; gives back what is between the quotes.

        Raises:
            NotUnderstoodError: the next token is none.
        """
        token = self.take()
        if token[0] not in "'\"":
            raise NotUnderstoodError(token)
        return token[1:-1].replace("''", "'")


def condition(tokens: Tokens, leaf: Callable[[Tokens], Condition]) -> Condition:
    """Read a condition.

    Args:
        tokens: stand behind it afterwards.
        leaf: reads one comparison.

    Raises:
        NotUnderstoodError: there is something that is not in the grammar.
    """
    return _either(tokens, leaf)


def _either(tokens: Tokens, leaf: Callable[[Tokens], Condition]) -> Condition:
    parts = [_both(tokens, leaf)]
    while tokens.took("or"):
        parts.append(_both(tokens, leaf))
    return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)


def _both(tokens: Tokens, leaf: Callable[[Tokens], Condition]) -> Condition:
    parts = [_one(tokens, leaf)]
    while tokens.took("and"):
        parts.append(_one(tokens, leaf))
    return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)


def _one(tokens: Tokens, leaf: Callable[[Tokens], Condition]) -> Condition:
    if tokens.took("not"):
        inner = _one(tokens, leaf)
        return lambda row: not inner(row)
    if tokens.took("("):
        inside = _either(tokens, leaf)
        tokens.take(")")
        return inside
    return leaf(tokens)
