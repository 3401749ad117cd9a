"""A proxy for the rest of the world does not come between the parts on this machine."""

import os
from urllib.request import getproxies, proxy_bypass

import pytest

from local.loopback import reach_loopback_directly

_NAMES = ("no_proxy", "NO_PROXY", "http_proxy")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in _NAMES:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    return monkeypatch


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("value", ["", "intranet.example", "intranet.example, 127.0.0.1"])
def test_this_machine_is_reached_directly_and_the_rest_as_before(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    reach_loopback_directly()
    reach_loopback_directly()
    assert getproxies()["http"] == "http://proxy.example:3128"
    assert proxy_bypass("127.0.0.1:8080")
    assert proxy_bypass("localhost:8080")
    assert bool(proxy_bypass("intranet.example")) == bool(value)
    assert not proxy_bypass("management.azure.com")
    assert os.environ["no_proxy"].count("127.0.0.1") == 1
