"""Two systems per worker, started when first asked for: one that is patient, and one in a hurry."""

from collections.abc import AsyncIterator

import pytest

from tests.end_to_end.system import System, running

_FAST = {
    "LOCAL_HOST_MAX_POLL_MS": "100",
    "LIGHTKEEPER_CYCLE_SECONDS": "1",
    "LIGHTKEEPER_READ_BACK_SECONDS": "0",
}
_PATIENT = {**_FAST, "LIGHTKEEPER_CORRELATION_WAIT_SECONDS": "3600"}
_HURRIED = {
    **_FAST,
    "LIGHTKEEPER_CORRELATION_WAIT_SECONDS": "2",
    "LIGHTKEEPER_SWEEP_SECONDS": "2",
    "LIGHTKEEPER_SUBSCRIPTIONS_SCHEDULE": "* * * * * *",
    "LIGHTKEEPER_SUBSCRIPTION_SETTINGS_SCHEDULE": "* * * * * *",
    "LIGHTKEEPER_EVENT_HUBS_SCHEDULE": "*/2 * * * * *",
    "LIGHTKEEPER_FLUSH_SCHEDULE": "* * * * * *",
}


@pytest.fixture(scope="session")
async def patient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system in which an operation's rest is waited for as long as a test may take."""
    async with running(tmp_path_factory.mktemp("patient"), 5, _PATIENT) as system:
        yield system


@pytest.fixture(scope="session")
async def hurried(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system whose cycles, sweeps and waits take a second or two."""
    async with running(tmp_path_factory.mktemp("hurried"), 4, _HURRIED) as system:
        yield system
