from collections.abc import AsyncIterator

import pytest

from local.azurite import Azurite
from shared.settings import StorageSettings
from shared.store.storage import Storage
from tests.capture.app import App, NoCredential
from tests.capture.operators import Operator


@pytest.fixture
async def app(azurite: Azurite) -> AsyncIterator[App]:
    """The capture step of a customer of its own."""
    settings = StorageSettings(azurite.connection_string, "", "", "")
    async with Storage(settings, NoCredential()) as storage:
        yield App(storage)


@pytest.fixture
def operator(storage: Storage) -> Operator:
    """The capture step in an account of its own, with somebody who looks after it."""
    return Operator(storage)
