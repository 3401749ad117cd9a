"""Child processes: they say when they are ready, and none stays behind."""

import os
import sys
import time
from pathlib import Path

import pytest

from local.process import Child, NotReadyError

_ECHO = "import sys; print('up', flush=True); sys.stdin.read()"


def child(logs: Path, source: str) -> Child:
    return Child("part", [sys.executable, "-c", source], os.environ, logs)


def ready(line: str) -> str | None:
    return line.strip() if line.startswith("up") else None


def test_what_the_ready_line_says_is_given_back(tmp_path: Path) -> None:
    with child(tmp_path, "print('starting'); " + _ECHO) as running:
        assert running.wait_until(ready, 30) == "up"
        assert running.running


def test_a_child_that_ends_before_it_is_ready_is_named_with_its_last_lines(tmp_path: Path) -> None:
    source = "import sys; print('no such port', file=sys.stderr); sys.exit(3)"
    with child(tmp_path, source) as running, pytest.raises(NotReadyError) as raised:
        running.wait_until(ready, 30)
    assert str(raised.value) == "part ended before it was ready:\nno such port"


def test_a_child_that_never_gets_ready_is_named_and_ended(tmp_path: Path) -> None:
    source = "import sys; print('still starting', flush=True); sys.stdin.read()"
    with child(tmp_path, source) as running:
        with pytest.raises(NotReadyError, match="part was not ready within 1 s"):
            running.wait_until(ready, 1)
        assert running.running
    assert not running.running


def test_a_child_ends_when_its_input_ends_and_may_take_leave(tmp_path: Path) -> None:
    with child(tmp_path, _ECHO + "; print('bye')") as running:
        running.wait_until(ready, 30)
    assert not running.running
    assert running.tail().splitlines() == ["up", "bye"]


@pytest.mark.parametrize("kind", ["deaf to its input", "deaf to everything"])
def test_a_child_that_does_not_listen_is_made_to_end(tmp_path: Path, kind: str) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " if "everything" in kind else ""
    with child(tmp_path, deaf + "import time; print('up', flush=True); time.sleep(600)") as running:
        running.wait_until(ready, 30)
        began = time.monotonic()
    assert not running.running
    assert time.monotonic() - began < 30


def test_what_a_child_prints_is_logged(tmp_path: Path) -> None:
    with child(tmp_path, "import sys; print('to stderr', file=sys.stderr); " + _ECHO) as running:
        running.wait_until(ready, 30)
    assert sorted(running.log.read_text(encoding="utf-8").split("\n")) == ["", "to stderr", "up"]


def test_ctrl_c_does_not_reach_a_child(tmp_path: Path) -> None:
    with child(tmp_path, _ECHO) as running:
        running.wait_until(ready, 30)
        assert os.getpgid(running.pid) == running.pid != os.getpgid(0)
