"""`python -m benchmarks`: run benchmarks, print one table, write one JSON file."""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.registry import BENCHMARKS
from benchmarks.report import Options, Row, show, write_json

_ROOT = Path(__file__).resolve().parent.parent
_ROUNDS = 7
_QUICK_ROUNDS = 3


def main() -> int:
    """Exit status 0 when everything ran, whether or not a goal holds; 2 for wrong usage."""
    arguments = _arguments()
    selected = [one for one in BENCHMARKS if any(key.startswith(arguments.only) for key in one.keys)]
    if not selected:
        keys = ", ".join(key for one in BENCHMARKS for key in one.keys)
        print(f"no key starts with {arguments.only!r}; there are: {keys}", file=sys.stderr)
        return 2
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", file=sys.stderr, flush=True)

    options = Options(
        quick=arguments.quick,
        rounds=arguments.rounds or (_QUICK_ROUNDS if arguments.quick else _ROUNDS),
        say=say,
    )
    rows: list[Row] = []
    for benchmark in selected:
        say(benchmark.name)
        rows += benchmark.run(options)
    show(rows)
    write_json(rows, arguments.out)
    say(f"wrote {arguments.out}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", metavar="KEY_PREFIX", help="only what measures such keys")
    parser.add_argument("--quick", action="store_true", help="small inputs; the figures mean nothing")
    parser.add_argument("--rounds", type=_positive, help=f"rounds of a comparison (default {_ROUNDS})")
    parser.add_argument("--out", type=Path, default=_ROOT / "build" / "bench.json", help="the JSON file")
    return parser.parse_args()


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one round")
    return number


if __name__ == "__main__":
    sys.exit(main())
