"""Correlation, side by side: ours, the naive way, the strong peer and the floor.

The ways take turns, each time in a fresh process; what counts is the median of the ratios within a round.
In the first round all outcomes are compared.

The naive way compresses with `gzip` at its default level. The others use `isal`, all at the level that the
app uses, so that the files have one size and nobody gains by a weaker level. The floor and the peers hold the
whole file in memory; ours does not, and has to find what left when more of it comes, within its time. To keep
it in a table, as the handler does, is measured by `benchmarks.handoff`.

Bodies hold 20 to 80 entries, or one. What Azure Monitor sends lies between: the entries of one request often
share a message, and more do where there is more traffic. One entry a body is kinder to us in the first ratio,
since the official Avro package is slow with each event.

Nearly all entries are administrative, which is the hardest. A customer's hub carries resource logs and those
of Entra ID, too, which pass through; the mixed file is more like it.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.capture_files import Shape, made
from benchmarks.measure import in_own_process
from benchmarks.report import Goal, Options, Row, at_least, at_most

KEYS = ("correlation.x_naive", "correlation.x_strong_peer", "correlation.x_floor")

_WAYS = ("naive", "strong", "ours", "floor")
"""The floor comes last, since it compresses the lines that ours made in the first round."""

_MAIN = Shape(100)
_VARIANTS = (
    Shape(100, codec="deflate"),
    Shape(100, codec="deflate", many=False),
    Shape(10),
    Shape(10, codec="deflate"),
    Shape(10, many=False),
    Shape(10, spaced=True),
    Shape(10, mixed=True),
)


class DifferentOutcomesError(Exception):
    """Two ways came to different results, so that their times cannot be compared."""


@dataclass(frozen=True, slots=True)
class _Ratio:
    """How two ways compare: the seconds of `above` for each second of `below`."""

    what: str
    above: str
    below: str
    key: str
    goal: Goal


_RATIOS = (
    _Ratio("times as fast as the naive way", "naive", "ours", KEYS[0], at_least(9.0)),
    _Ratio("times as fast as the strong peer", "strong", "ours", KEYS[1], at_least(1.4)),
    _Ratio("times the floor", "ours", "floor", KEYS[2], at_most(1.9)),
)
_DEFLATE_GOALS = {KEYS[0]: at_least(8.0), KEYS[1]: at_least(1.5)}


def measure(options: Options) -> Iterator[Row]:
    """The main file with its goals, then files of other kinds."""
    main = Shape(1) if options.quick else _MAIN
    variants = (Shape(1, codec="deflate"),) if options.quick else _VARIANTS
    yield from _rows(main, _compare(main, options), main=True)
    for shape in variants:
        yield from _rows(shape, _compare(shape, options), main=False)


def _rows(shape: Shape, rounds: list[dict[str, float]], *, main: bool) -> Iterator[Row]:
    for ratio in _RATIOS:
        value = median(seconds[ratio.above] / seconds[ratio.below] for seconds in rounds)
        what = f"correlation, {shape}: {ratio.what}"
        if main:
            yield Row(what, value, len(rounds), ratio.goal, ratio.key)
        else:
            goal = _DEFLATE_GOALS.get(ratio.key) if shape.codec == "deflate" else None
            yield Row(what, value, len(rounds), goal)
    ours = median(seconds["ours"] for seconds in rounds)
    yield Row(f"correlation, {shape}: processor time", ours, len(rounds), unit="s")


def _compare(shape: Shape, options: Options) -> list[dict[str, float]]:
    """The seconds of each way in each round."""
    options.say(f"{shape}: making the file")
    file = made(shape)
    with tempfile.TemporaryDirectory() as folder:
        return [_round(file, Path(folder), options, number) for number in range(options.rounds)]


def _round(file: Path, finished: Path, options: Options, number: int) -> dict[str, float]:
    seconds: dict[str, float] = {}
    digests: dict[str, str] = {}
    first = number == 0
    for way in _WAYS:
        measured = in_own_process(
            way,
            file,
            keep=finished if first and way == "ours" else None,
            finished=finished if way == "floor" else None,
            digest=first,
        )
        seconds[way], digests[way] = measured.seconds, measured.digest
    if len(set(digests.values())) != 1:
        raise DifferentOutcomesError(f"{file.name}: {digests}")
    figures = ", ".join(f"{way} {seconds[way]:.2f} s" for way in _WAYS)
    same = "; same outcome" if first else ""
    options.say(f"  round {number + 1} of {options.rounds}: {figures}{same}")
    return seconds
