"""How much memory the correlation takes over its imports, for a small and a large file.

Both are larger than a part, which is what is held; see `shared.capture.parts`.
"""

from collections.abc import Iterator
from statistics import median

from benchmarks.capture_files import Shape, made
from benchmarks.measure import in_own_process
from benchmarks.report import Options, Row, at_most

KEY = "correlation.memory_growth_mb"

_RUNS = 1
"""Peaks hardly vary, and the large file takes long."""


def measure(options: Options) -> Iterator[Row]:
    """The peak of a fresh process with the large file, less what its imports take; and what explains it."""
    small, large = (Shape(1), Shape(4)) if options.quick else (Shape(10), Shape(400))
    over = {shape: _over_imports(shape, options) for shape in (small, large)}
    goal = at_most(16.0)
    yield Row(f"correlation, {large}: memory over imports", over[large], _RUNS, goal, KEY, "MB")
    yield Row(f"correlation, {small}: memory over imports", over[small], _RUNS, unit="MB")
    growth = over[large] - over[small]
    yield Row(f"correlation, {large}: memory over that of {small}", growth, _RUNS, unit="MB")


def _over_imports(shape: Shape, options: Options) -> float:
    options.say(f"{shape}: making the file")
    file = made(shape)
    runs = [in_own_process("ours", file) for _ in range(_RUNS)]
    over = median(run.peak_mb - run.imports_mb for run in runs)
    options.say(f"  {over:.0f} MB over the imports, {median(run.seconds for run in runs):.1f} s")
    return over
