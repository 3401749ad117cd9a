"""Before something is taken for gone, Azure is asked for it by its ID.

A listing may come back short or empty by mistake, and do so for as long as a fault lasts. That three in a row
lack an object is a reason to ask for it, not a proof that it is gone.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from shared.arm.errors import NotAuthorizedError

MOST_ASKED: Final = 100
"""Objects that one listing asks for; the rest waits for the next one."""


async def look_for[T, F](
    suspects: Sequence[T], ask: Callable[[T], Awaitable[F | None]]
) -> tuple[list[F], Sequence[T]]:
    """Ask for objects that listings lack; gives what is there after all, and which were not asked for.

    What we may not see any more is not there, as far as we are concerned.

    Args:
        suspects: the objects.
        ask: gives the object as Azure has it, or None.

    Raises:
        ArmError: Azure did not answer; then nothing is known.
    """
    found: list[F] = []
    for suspect in suspects[:MOST_ASKED]:
        try:
            answer = await ask(suspect)
        except NotAuthorizedError:
            continue
        if answer is not None:
            found.append(answer)
    return found, suspects[MOST_ASKED:]
