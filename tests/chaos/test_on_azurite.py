"""The same histories on real tables and blobs: they take the same course as in memory, call by call."""

from tests.helpers.chaos import run
from tests.helpers.chaos_report import assert_good
from tests.helpers.chaos_worker import Account


async def test_a_history_takes_the_same_course_on_azurite_as_in_memory(
    seed: int, storage_account: Account
) -> None:
    in_memory = await run(seed)
    on_azurite = await assert_good(seed, storage_account)
    assert on_azurite.history == in_memory.history
    assert on_azurite.turnstile.calls == in_memory.turnstile.calls
    assert on_azurite.azure.counts.by_kind == in_memory.azure.counts.by_kind


async def test_the_same_seed_gives_the_same_run(seed: int) -> None:
    first, second = await run(seed), await run(seed)
    assert first.history == second.history
    assert first.turnstile.calls == second.turnstile.calls
