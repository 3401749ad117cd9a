"""Looking at processes, and letting Ctrl-C reach them."""

import signal
from collections.abc import Iterable
from pathlib import Path


def alive(pids: Iterable[int]) -> list[int]:
    """Those that still run; one that has ended and waits for its parent does not."""
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except FileNotFoundError:
            continue
        if state != "Z":
            found.append(pid)
    return found


def children_of(pid: int) -> set[int]:
    """The processes that it has started and that have not ended."""
    return {
        int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    }


def listen_to_ctrl_c() -> None:
    """To be called in a new process: what a shell starts in the background would ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
