import gzip
import json
from pathlib import Path
from subprocess import CalledProcessError

import pytest

from benchmarks.capture_files import Shape, made
from benchmarks.measure import in_own_process
from benchmarks.ways import floor, naive, ours, strong
from benchmarks.ways.outcome import Outcome, digest
from shared.capture.entries import CONDENSED

SHAPES = [Shape(1), Shape(1, codec="deflate"), Shape(1, many=False), Shape(1, spaced=True)]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_all_ways_come_to_the_same_outcome(tmp_path: Path, shape: Shape, seed: int) -> None:
    file = made(shape, tmp_path, seed)
    wanted = ours.prepare(file, None)()
    wanted.write(tmp_path)

    found = {way.__name__: way.prepare(file, tmp_path)() for way in (naive, strong, floor)}

    assert {name: digest(outcome) for name, outcome in found.items()} == dict.fromkeys(found, digest(wanted))


def test_the_outcome_has_condensed_records_entries_that_passed_and_parked_ones(tmp_path: Path) -> None:
    outcome = ours.prepare(made(Shape(1), tmp_path), None)()

    lines = [json.loads(line) for line in gzip.decompress(outcome.condensed).splitlines()]
    assert any(CONDENSED in line for line in lines)
    assert any(CONDENSED not in line for line in lines)
    assert outcome.parked


def test_the_digest_ignores_order_and_spacing_and_nothing_else() -> None:
    one = Outcome(gzip.compress(b'{"a":1,"b":2}\n{"c":3}\n'), b"")
    same = Outcome(gzip.compress(b'{"c": 3}\n{"b": 2, "a": 1}\n'), b"")
    fewer = Outcome(gzip.compress(b'{"a":1,"b":2}\n'), b"")
    parked = Outcome(gzip.compress(b'{"a":1,"b":2}\n'), b'{"c":3}\n')

    assert digest(one) == digest(same)
    assert len({digest(one), digest(fewer), digest(parked)}) == 3


def test_a_way_measured_in_its_own_process_tells_time_memory_and_outcome(tmp_path: Path) -> None:
    file = made(Shape(0.5), tmp_path)

    measured = in_own_process("ours", file, keep=tmp_path, digest=True)

    assert measured.seconds > 0
    assert measured.peak_mb > measured.imports_mb > 0
    assert measured.digest == digest(Outcome.read(tmp_path))


def test_the_floor_refuses_to_run_without_ready_made_lines(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ready-made"):
        floor.prepare(tmp_path / "any.avro", None)


def test_a_way_that_fails_is_an_error_and_no_figure(tmp_path: Path) -> None:
    with pytest.raises(CalledProcessError):
        in_own_process("naive", tmp_path / "missing.avro")
