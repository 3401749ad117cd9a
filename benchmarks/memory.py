"""How much more memory the correlation takes for a large file than for a small one.

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
    """By how much the peaks of fresh processes differ; and how far each is over what the imports take."""
    small, large = (Shape(1), Shape(4)) if options.quick else (Shape(10), Shape(400))
    over = {shape: _over_imports(shape, options) for shape in (small, large)}
    growth, goal = over[large] - over[small], at_most(16.0)
    yield Row(f"correlation, {large}: memory over that of {small}", growth, _RUNS, goal, KEY, "MB")
    for shape in (small, large):
        yield Row(f"correlation, {shape}: memory over imports", over[shape], _RUNS, unit="MB")


def _over_imports(shape: Shape, options: Options) -> float:
    options.say(f"{shape}: making the file")
    file = made(shape)
    runs = [in_own_process("ours", file) for _ in range(_RUNS)]
    over = median(run.peak_mb - run.imports_mb for run in runs)
    options.say(f"  {over:.0f} MB over the imports, {median(run.seconds for run in runs):.1f} s")
    return over
