"""The same histories on real tables, blobs and queues."""

from collections.abc import Iterator

import pytest

from tests.helpers.exact_report import assert_exact


@pytest.fixture(scope="module")
def connection_string(accounts: Iterator[str]) -> str:
    return next(accounts)


def test_what_comes_out_on_azurite_is_what_comes_out_in_memory(seed: int, connection_string: str) -> None:
    on_azurite = assert_exact(seed, connection_string)
    in_memory = assert_exact(seed)
    assert on_azurite.records == in_memory.records
    assert on_azurite.passed == in_memory.passed
