"""Remembering what was worked out for short texts."""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Final

_SHORT: Final = 64
"""A caller may choose a correlation ID as long as an event, and should not fill the memory with them."""


def remembered[T](most: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Have a function that depends on a text alone remember what it gives for short ones, as most are.

    Args:
        most: for how many at once; those that were asked for last.
    """

    def decorate(function: Callable[[str], T]) -> Callable[[str], T]:
        known = lru_cache(maxsize=most)(function)

        @wraps(function)
        def chosen(text: str) -> T:
            return known(text) if len(text) <= _SHORT else function(text)

        return chosen

    return decorate
