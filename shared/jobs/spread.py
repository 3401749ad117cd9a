"""When the jobs of a cycle become visible: evenly over an interval, the same target at the same moment."""

import hashlib

MOST_DELAY = 7 * 24 * 3600 - 1
"""Seconds that a message can stay invisible (Queue service limit: seven days)."""


def fraction(*parts: str) -> float:
    """A number from 0 up to 1 that depends on the parts alone."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def spread(index: int, count: int, interval: float, *key: str) -> float:
    """Seconds to wait for the job at `index` of `count`.

    Every job has a slot of its own of `interval / count` seconds, and a place within it that depends on
    its key, so that it comes at about the same moment of every cycle and deployments do not march in step.
    """
    return min(interval * (index + fraction(*key)) / count, MOST_DELAY)


def after(seconds: float, *key: str) -> float:
    """Seconds to wait if somebody asks for that many: these, plus jitter."""
    return min(max(seconds, 1.0) * (1 + fraction(*key) / 4), MOST_DELAY)


def back_off(attempt: int, least: float, most: float, *key: str) -> float:
    """Seconds to wait before the next attempt: doubling from `least` up to `most`, plus jitter."""
    seconds = min(least * 2.0 ** min(attempt, 16), most)
    return min(seconds * (1 + fraction(*key, str(attempt)) / 4), MOST_DELAY)
