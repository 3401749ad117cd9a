"""What listings lack is asked for before it is taken for gone."""

import pytest

from shared.arm.errors import NotAuthorizedError, NotDelegatedError, ThrottledError, UnavailableError
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

    assert await look_for(range(5), ask) == ([0, 4], [])


async def test_without_an_answer_nothing_is_known() -> None:
    async def ask(number: int) -> int | None:
        if number == 30:
            raise UnavailableError("no answer")
        return number

    with pytest.raises(UnavailableError):
        await look_for(range(40), ask)


async def test_what_azure_has_no_time_for_is_left_for_later() -> None:
    async def ask(number: int) -> int | None:
        if number >= 20:
            raise ThrottledError("enough", 429)
        return number

    found, rest = await look_for(range(100), ask)

    assert found + rest == list(range(100))
    assert len(found) == 16


async def test_only_so_many_are_asked_for_in_one_listing() -> None:
    asked: list[int] = []

    async def ask(number: int) -> None:
        asked.append(number)

    _, rest = await look_for(range(MOST_ASKED + 2), ask)

    assert asked == list(range(MOST_ASKED))
    assert rest == [MOST_ASKED, MOST_ASKED + 1]
