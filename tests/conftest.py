"""What all tests share: one Azurite per worker, and the real samples where they are."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.azurite import Azurite


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A running Azurite. It is shared: use names of your own."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real Azure logs and recorded traffic."""
    folder = os.environ.get("LIGHTKEEPER_SAMPLES")
    if not folder:
        pytest.skip("LIGHTKEEPER_SAMPLES names no folder of real samples")
    return Path(folder)
