"""Fuzz a target, led by what it covers: `python -m tests.fuzz file|body [options of libFuzzer]`.

Runs where `requirements-fuzz.txt` is installed. What fails ends the run, and is kept as a file.
"""

import sys
from collections.abc import Callable

import atheris  # type: ignore[import-untyped]  # it ships no types

with atheris.instrument_imports(include=["shared.capture"]):
    from tests.fuzz.oracles import check_body, check_file

_TARGETS: dict[str, Callable[[bytes], None]] = {"file": check_file, "body": check_body}

if __name__ == "__main__":
    _, target, *options = sys.argv
    # When libFuzzer merges, it calls itself by its first argument.
    atheris.Setup([f"{sys.executable} -m tests.fuzz {target}", *options], _TARGETS[target])
    atheris.Fuzz()
