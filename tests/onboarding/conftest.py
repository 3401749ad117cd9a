"""A lab per test."""

from collections.abc import AsyncIterator

import pytest

from tests.helpers.lab import Lab, open_lab


@pytest.fixture
async def lab(account: str) -> AsyncIterator[Lab]:
    """Nothing but the provider is in it."""
    async with open_lab(account) as opened:
        yield opened
