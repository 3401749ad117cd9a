"""Child processes that announce when they are ready and never outlive their parent.

Every child is started with a pipe as standard input and ends when that pipe closes, which the
operating system does for us even if this process is killed.
"""

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Self

_GRACE_SECONDS = 8.0
_TAIL_LINES = 20


class NotReadyError(RuntimeError):
    """A child process ended or stayed silent before it was ready; the message shows its last lines."""


class Child:
    """One running child process.

    Args:
        name: for messages and the log file's name.
        command: program and arguments.
        environment: the whole environment of the child.
        logs: folder for what it prints.
        folder: its working folder.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        logs: Path,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self._lines: queue.Queue[str | None] = queue.Queue()
        logs.mkdir(parents=True, exist_ok=True)
        self._log_file = self.log.open("ab")
        self._process = subprocess.Popen(  # noqa: S603 - our own programs, no shell
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log_file,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The operating system's number of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._process.poll() is None

    def wait_until[T](self, ready: Callable[[str], T | None], seconds: float) -> T:
        """Read lines until one of them makes `ready` answer something.

        Raises:
            NotReadyError: the process ended, or the time is over.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise NotReadyError(f"{self.name} ended before it was ready:\n{self.tail()}")
            answer = ready(line)
            if answer is not None:
                return answer
        raise NotReadyError(f"{self.name} was not ready within {seconds:.0f} s:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines it logged."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-_TAIL_LINES:])

    def stop(self) -> None:
        """End it: first by closing its input, then by signals."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        for signal in (None, SIGTERM, SIGKILL):
            if signal is not None:
                self._process.send_signal(signal)
            try:
                self._process.wait(timeout=_GRACE_SECONDS / 2)
                break
            except subprocess.TimeoutExpired:
                continue
        self._reader.join(timeout=1)
        # A pipe that a grandchild still holds open cannot be closed while it is read.
        if self._process.stdout is not None and not self._reader.is_alive():
            self._process.stdout.close()
        self._log_file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is not None:
            for line in stdout:
                self._log_file.write(line)
                self._log_file.flush()
                self._lines.put(line.decode("utf-8", "replace"))
        self._lines.put(None)
