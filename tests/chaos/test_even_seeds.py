"""Whatever goes wrong, when it stops all becomes as wanted: the even half of the seeds."""

from tests.helpers.chaos_report import assert_good


async def test_when_chaos_ends_azure_is_as_wanted_and_the_tables_tell_the_truth(seed: int) -> None:
    await assert_good(seed)
