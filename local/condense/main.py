"""`python -m local condense FILE... [--out FILE] [--aside FILE]`."""

import argparse
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TextIO

from local.condense.files import entries_of_file
from local.condense.summary import summary
from shared.capture.aside import Aside, aside_line
from shared.capture.correlate import Run, correlate
from shared.capture.entries import Entry
from shared.capture.output import lines_of
from shared.capture.sift import sift
from shared.model.operations import Known

WRONG_USAGE = 2
SET_ASIDE = 3


def main(arguments: list[str]) -> int:
    """Condense files. Exit status 0; 3 if anything was set aside; 2 for wrong usage or unreadable paths."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if clash := _clash(options.files, options.out, options.aside):
        parser.error(clash)
    try:
        # Nothing is written before everything is read.
        sifted = sift(_stream(options.files))
        # Nothing more will come, so nothing waits.
        plan = correlate(sifted.administrative, Known(), Run("condense", datetime.now(UTC), timedelta()))
        counts = sifted.counts + plan.counts
        counts.check()
        # One by one, so that they are not all in memory once more.
        passed = (b"".join(lines_of([entry], ())) for entry in chain(sifted.passed, plan.passed))
        lines = chain(passed, (b"".join(lines_of((), [record])) for record in plan.records))
        if options.aside is not None:
            _write(options.aside, (aside_line(aside) + b"\n" for aside in sifted.asides))
        if options.out is not None:
            _write(options.out, lines)
        else:
            _print(lines)
    except OSError as error:
        _say(f"condense: {error.filename or 'output'}: {error.strerror or error}")
        return WRONG_USAGE
    except MemoryError:
        _say("condense: the files are too large for the memory of this machine")
        return WRONG_USAGE
    _say(summary(len(options.files), counts, sifted.asides))
    return SET_ASIDE if sifted.asides else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local condense",
        description="Combine the log entries of each Azure operation into one record. Several files are one "
        "stream. Reads Event Hubs Capture files (Avro), JSON as Azure exports it, the output of "
        "`az monitor activity-log list`, JSON arrays and NDJSON; also compressed with gzip.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here instead of to standard output")
    parser.add_argument("--aside", type=Path, metavar="FILE", help="keep here what could not be read")
    return parser


def _clash(files: list[Path], out: Path | None, aside: Path | None) -> str:
    """Which file would be lost if all outputs were written; empty if none would."""
    if out is not None and aside is not None and _is_same(out, aside):
        return "--out and --aside name the same file"
    for option, path in (("--out", out), ("--aside", aside)):
        for file in files:
            # Through a terminal or a pipe nothing is overwritten.
            if path is not None and file.is_file() and _is_same(path, file):
                return f"{option} names the file {file}, which is to be read"
    return ""


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()


def _stream(paths: list[Path]) -> Iterator[Entry | Aside]:
    """Everything in the files, one after the other."""
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            # One that occurs while a file is read does not name it by itself.
            raise OSError(error.errno, error.strerror, str(path)) from error
        # Names of files may be no text.
        yield from entries_of_file(data, os.fsencode(path).decode("utf-8", "backslashreplace"))


def _write(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(lines)


def _print(lines: Iterable[bytes]) -> None:
    """To standard output; a reader that has seen enough is no error."""
    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")
    try:
        output = sys.stdout.buffer
        output.writelines(lines)
        output.flush()
    except BrokenPipeError:
        _drop(sys.stdout)


def _say(text: str) -> None:
    """To standard error, if anybody can hear it."""
    if sys.stderr is None:
        return
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        _drop(sys.stderr)


def _drop(stream: TextIO) -> None:
    """Let what is left go nowhere; Python would complain when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
