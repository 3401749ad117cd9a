"""A simulated Azure per test, without and with storage behind it."""

from collections.abc import AsyncIterator

import pytest

from local.azure.estate import Provider
from local.azurite import Azurite
from tests.local.azure.azure_bench import PROVIDER, Bench, run_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """No storage behind it."""
    async for one in run_bench(PROVIDER):
        yield one


@pytest.fixture
async def stored(azurite: Azurite) -> AsyncIterator[Bench]:
    """With Azurite behind it."""
    with_storage = Provider(PROVIDER.tenant_id, PROVIDER.subscription_id, storage=azurite.connection_string)
    async for one in run_bench(with_storage):
        yield one
