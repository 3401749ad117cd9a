"""Two systems: one whose waits are long and that has no cycles, and one in a hurry."""

from collections.abc import AsyncIterator

import pytest

from shared.settings import SCHEDULES
from tests.end_to_end.system import MASTER_KEY, System, running

_ONCE_A_YEAR = "0 0 0 1 1 *"
_FAST = {
    **dict.fromkeys(SCHEDULES, _ONCE_A_YEAR),
    "LIGHTKEEPER_CYCLE_SECONDS": "1",
    "LIGHTKEEPER_READ_BACK_SECONDS": "0",
    "LOCAL_HOST_MASTER_KEY": MASTER_KEY,
}
_PATIENT = {**_FAST, "LIGHTKEEPER_CORRELATION_WAIT_SECONDS": "3600"}
_HURRIED = {
    **_FAST,
    "LIGHTKEEPER_CORRELATION_WAIT_SECONDS": "2",
    "LIGHTKEEPER_SWEEP_SECONDS": "5",
    "LIGHTKEEPER_SUBSCRIPTIONS_SCHEDULE": "*/4 * * * * *",
    "LIGHTKEEPER_SUBSCRIPTION_SETTINGS_SCHEDULE": "*/3 * * * * *",
    "LIGHTKEEPER_EVENT_HUBS_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_FLUSH_SCHEDULE": "*/3 * * * * *",
    "LIGHTKEEPER_OFFBOARDING_SCHEDULE": "*/5 * * * * *",
    "LIGHTKEEPER_DRAIN_SECONDS": "3",
}


@pytest.fixture(scope="package")
async def patient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system without cycles, in which an operation's rest is waited for as long as a test may take."""
    async with running(tmp_path_factory.mktemp("patient"), 5, _PATIENT) as system:
        yield system


@pytest.fixture(scope="module")
async def hurried(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system whose cycles, sweeps and waits take a few seconds; it keeps a processor busy."""
    async with running(tmp_path_factory.mktemp("hurried"), 4, _HURRIED) as system:
        yield system
