import gzip
import json
from pathlib import Path
from subprocess import CalledProcessError
from types import ModuleType

import pytest

from benchmarks.capture_files import Shape
from benchmarks.capture_files import made as capture_file
from benchmarks.measure import in_own_process
from benchmarks.ways import floor, naive, ours, strong
from benchmarks.ways.outcome import Outcome, digest
from shared.capture.entries import CONDENSED

SHAPES = [Shape(1), Shape(1, codec="deflate"), Shape(1, many=False), Shape(1, spaced=True)]


def outcome_of(way: ModuleType, file: Path, folder: Path, finished: Path | None = None) -> Outcome:
    outcome = Outcome(folder / way.__name__)
    outcome.folder.mkdir()
    way.prepare(file, outcome, finished)()
    return outcome


def outcome(folder: Path, condensed: bytes, parked: bytes = b"") -> Outcome:
    made = Outcome(folder)
    folder.mkdir()
    made.condensed.write_bytes(gzip.compress(condensed))
    made.parked.write_bytes(parked)
    return made


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_all_ways_come_to_the_same_outcome(tmp_path: Path, shape: Shape, seed: int) -> None:
    file = capture_file(shape, tmp_path, seed)
    wanted = outcome_of(ours, file, tmp_path)

    found = {
        way.__name__: digest(outcome_of(way, file, tmp_path, wanted.folder)) for way in (naive, strong, floor)
    }

    assert found == dict.fromkeys(found, digest(wanted))


def test_the_outcome_has_condensed_records_entries_that_passed_and_parked_ones(tmp_path: Path) -> None:
    made = outcome_of(ours, capture_file(Shape(1), tmp_path), tmp_path)

    lines = [json.loads(line) for line in gzip.decompress(made.condensed.read_bytes()).splitlines()]
    assert any(CONDENSED in line for line in lines)
    assert any(CONDENSED not in line for line in lines)
    assert made.parked.read_bytes()


def test_the_digest_ignores_order_and_spacing_and_nothing_else(tmp_path: Path) -> None:
    one = outcome(tmp_path / "one", b'{"a":1,"b":2}\n{"c":3}\n')
    same = outcome(tmp_path / "same", b'{"c": 3}\n{"b": 2, "a": 1}\n')
    fewer = outcome(tmp_path / "fewer", b'{"a":1,"b":2}\n')
    parked = outcome(tmp_path / "parked", b'{"a":1,"b":2}\n', b'{"c":3}\n')

    assert digest(one) == digest(same)
    assert len({digest(one), digest(fewer), digest(parked)}) == 3


def test_of_several_revisions_the_digest_counts_the_last(tmp_path: Path) -> None:
    texts = [
        b'{"a":%d,"azure_activity_administrative_condensed":{"uid":"u","revision":%d}}' % pair
        for pair in ((1, 1), (2, 2), (2, 1))
    ]
    both = outcome(tmp_path / "both", b"\n".join([texts[1], texts[0]]))
    last = outcome(tmp_path / "last", texts[2])
    first = outcome(tmp_path / "first", texts[0])

    assert digest(both) == digest(last) != digest(first)


def test_a_way_measured_in_its_own_process_tells_time_memory_and_outcome(tmp_path: Path) -> None:
    file = capture_file(Shape(0.5), tmp_path)

    measured = in_own_process("ours", file, keep=tmp_path, digest=True)

    assert measured.seconds > 0
    assert measured.peak_mb > measured.imports_mb > 0
    assert measured.digest == digest(Outcome(tmp_path))


def test_the_floor_refuses_to_run_without_ready_made_lines(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ready-made"):
        floor.prepare(tmp_path / "any.avro", Outcome(tmp_path), None)


def test_a_way_that_fails_is_an_error_and_no_figure(tmp_path: Path) -> None:
    with pytest.raises(CalledProcessError):
        in_own_process("naive", tmp_path / "missing.avro")
