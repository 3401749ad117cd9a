"""What listings lack is asked for before it is taken for gone."""

import pytest

from shared.arm.errors import NotAuthorizedError, NotDelegatedError, UnavailableError
from shared.sync.absence import MOST_ASKED, look_for


async def test_what_is_there_after_all_is_found_and_what_we_may_not_see_is_not() -> None:
    async def ask(number: int) -> int | None:
        match number:
            case 1:
                return None
            case 2:
                raise NotAuthorizedError("no role", 403)
            case 3:
                raise NotDelegatedError("wrong issuer", 401)
        return number

    assert await look_for(range(5), ask) == ([0, 4], range(0))


async def test_without_an_answer_nothing_is_known() -> None:
    async def ask(_: int) -> int | None:
        raise UnavailableError("no answer")

    with pytest.raises(UnavailableError):
        await look_for([1], ask)


async def test_only_so_many_are_asked_for_at_once() -> None:
    asked: list[int] = []

    async def ask(number: int) -> None:
        asked.append(number)

    _, rest = await look_for(range(MOST_ASKED + 2), ask)

    assert asked == list(range(MOST_ASKED))
    assert list(rest) == [MOST_ASKED, MOST_ASKED + 1]
