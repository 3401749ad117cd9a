"""What all tests share: one Azurite per worker, and the real samples where they are."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from local.azurite import Azurite
from local.loopback import reach_loopback_directly
from shared.settings import StorageSettings
from shared.store.storage import Storage
from tests.helpers.accounts import NoToken, azurite_accounts, unused_accounts

# A busy machine makes examples slow, which says nothing of them.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

reach_loopback_directly()


_WHOLE_SYSTEM = "end_to_end"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with those of the whole system, which take longest, so that in the end nobody waits for one."""
    items.sort(key=lambda item: _WHOLE_SYSTEM not in item.path.parts)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="play the history of this seed only")
    parser.addoption("--seeds", type=int, default=None, help="play the histories of so many seeds")


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A running Azurite. It is shared: use names of your own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AZURITE_ACCOUNTS", azurite_accounts())
        running = Azurite(tmp_path_factory.mktemp("azurite"))
    with running:
        yield running


@pytest.fixture(scope="session")
def accounts(azurite: Azurite) -> Iterator[str]:
    """Connection strings of storage accounts that nobody has used."""
    return unused_accounts(azurite)


@pytest.fixture
def account(accounts: Iterator[str]) -> str:
    """Connection string of a storage account with nothing in it, for this test alone."""
    return next(accounts)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real Azure logs and recorded traffic."""
    folder = os.environ.get("LIGHTKEEPER_SAMPLES")
    if not folder:
        pytest.skip("LIGHTKEEPER_SAMPLES names no folder of real samples")
    return Path(folder)


@pytest.fixture
async def storage(account: str) -> AsyncIterator[Storage]:
    """A storage account with nothing in it, for this test alone."""
    async with Storage(StorageSettings(account, "", "", ""), NoToken()) as opened:
        yield opened
