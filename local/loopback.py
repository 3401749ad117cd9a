"""Everything here talks to this machine alone, whatever proxy its user has for the rest of the world."""

import os

_HERE = ("127.0.0.1", "localhost")
_NAMES = ("no_proxy", "NO_PROXY")


def reach_loopback_directly() -> None:
    """Let no proxy stand between this process, those that it starts, and this machine's own ports."""
    known = next((os.environ[name] for name in _NAMES if os.environ.get(name)), "")
    hosts = [each for each in (part.strip() for part in known.split(",")) if each]
    hosts += [each for each in _HERE if each not in hosts]
    for name in _NAMES:
        os.environ[name] = ",".join(hosts)
