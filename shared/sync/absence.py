"""Before something is taken for gone, Azure is asked for it by its ID.

A listing may come back short or empty by mistake, and do so for as long as a fault lasts. That three in a row
lack an object is a reason to ask for it, not a proof that it is gone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import batched
from typing import Final

from shared.arm.errors import ArmError, NotAuthorizedError, ThrottledError

MOST_ASKED: Final = 1000
"""Objects that one listing asks for; the rest waits for the next one."""

_AT_ONCE: Final = 16


async def look_for[T, F](
    suspects: Sequence[T], ask: Callable[[T], Awaitable[F | None]]
) -> tuple[list[F], list[T]]:
    """Ask for objects that listings lack; gives what is there after all, and which were not asked for.

    What we may not see any more is not there, as far as we are concerned. When Azure has had enough of the
    questions, the rest is left for another time.

    Args:
        suspects: the objects.
        ask: gives the object as Azure has it, or None.

    Raises:
        ArmError: Azure did not answer; then nothing is known.
    """
    found: list[F] = []
    for group in batched(suspects[:MOST_ASKED], _AT_ONCE, strict=False):
        answers = await asyncio.gather(*(_answer(ask, suspect) for suspect in group))
        if any(isinstance(answer, ThrottledError) for answer in answers):
            return found, list(suspects[suspects.index(group[0]) :])
        for answer in answers:
            if isinstance(answer, ArmError):
                raise answer
            if answer is not None:
                found.append(answer)
    return found, list(suspects[MOST_ASKED:])


async def _answer[T, F](ask: Callable[[T], Awaitable[F | None]], suspect: T) -> F | ArmError | None:
    """What Azure says of one object: a group of questions ends together, whatever the answers."""
    try:
        return await ask(suspect)
    except NotAuthorizedError:
        return None
    except ArmError as error:
        return error
