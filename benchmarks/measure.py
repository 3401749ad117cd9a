"""Measures one way on one file, in a process of its own.

    python -m benchmarks.measure WAY FILE [--keep FOLDER] [--finished FOLDER] [--digest]

prints one JSON object. Imports and preparations are not measured. Seconds are those of processor time of
the whole process: one core's work, whatever else the machine does meanwhile.
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.ways.outcome import Outcome, digest

_ROOT = Path(__file__).resolve().parent.parent
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run took.

    Attributes:
        seconds: of processor time.
        imports_mb: memory in use before the work, in millions of bytes.
        peak_mb: most memory that was in use, in millions of bytes.
        digest: of the outcome; empty if it was not asked for.
    """

    seconds: float
    imports_mb: float
    peak_mb: float
    digest: str


def in_own_process(
    way: str, file: Path, *, keep: Path | None = None, finished: Path | None = None, digest: bool = False
) -> Measured:
    """Measure in a fresh process.

    Args:
        way: module in `benchmarks.ways`.
        file: the capture file.
        keep: folder in which the outcome is to be written.
        finished: folder with an outcome, for the floor.
        digest: whether to take the outcome's digest.

    Raises:
        subprocess.CalledProcessError: the way failed; what it said went to standard error.
    """
    command = [sys.executable, "-m", "benchmarks.measure", way, str(file)]
    command += ["--keep", str(keep)] if keep else []
    command += ["--finished", str(finished)] if finished else []
    command += ["--digest"] if digest else []
    done = subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own
    return Measured(**json.loads(done.stdout))


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way")
    parser.add_argument("file", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--finished", type=Path)
    parser.add_argument("--digest", action="store_true")
    arguments = parser.parse_args()
    way = importlib.import_module(f"benchmarks.ways.{arguments.way}")
    with tempfile.TemporaryDirectory() as scratch:
        outcome = Outcome(arguments.keep or Path(scratch))
        work = way.prepare(arguments.file, outcome, arguments.finished)
        imports = _memory("VmRSS")
        began = time.process_time()
        work()
        seconds = time.process_time() - began
        peak = _memory("VmHWM")
        found = digest(outcome) if arguments.digest else ""
    print(json.dumps(asdict(Measured(seconds, imports, peak, found))))


def _memory(name: str) -> float:
    """A line of the kernel's account of this process, in millions of bytes.

    The usual `getrusage` would not do on Linux: its peak comes down from the parent process through `exec`.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
