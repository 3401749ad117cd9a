import json
from itertools import islice, pairwise
from pathlib import Path

import pytest

from benchmarks.activity import arrivals, operations
from benchmarks.capture_files import Shape, made
from benchmarks.partitions import PARTITIONS, spread
from benchmarks.ways.bodies import bodies
from shared.capture.decode import entries_of_capture
from shared.capture.entries import TERMINAL, Entry


def read(path: Path) -> list[Entry]:
    found = list(entries_of_capture(path.read_bytes(), path.name))
    assert all(isinstance(item, Entry) for item in found)
    return [item for item in found if isinstance(item, Entry)]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, codec: str) -> None:
    shape = Shape(0.3, codec=codec)

    first, second = made(shape, tmp_path / "a"), made(shape, tmp_path / "b")

    assert first.read_bytes() == second.read_bytes()


def test_another_seed_gives_another_file(tmp_path: Path) -> None:
    first, second = made(Shape(0.3), tmp_path, seed=1), made(Shape(0.3), tmp_path, seed=2)

    assert first.read_bytes() != second.read_bytes()


def test_a_file_that_is_there_is_used_again(tmp_path: Path) -> None:
    path = made(Shape(0.3), tmp_path)
    before = path.stat().st_mtime_ns

    assert made(Shape(0.3), tmp_path) == path
    assert path.stat().st_mtime_ns == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("shape", [Shape(3), Shape(3, many=False), Shape(3, spaced=True)], ids=str)
def test_a_file_has_the_wanted_size(tmp_path: Path, shape: Shape) -> None:
    assert made(shape, tmp_path).stat().st_size == pytest.approx(3_000_000, rel=0.1)


def test_a_deflated_file_holds_the_same_events_in_less_space(tmp_path: Path) -> None:
    plain, deflated = made(Shape(1), tmp_path), made(Shape(1, codec="deflate"), tmp_path)

    assert list(bodies(plain)) == list(bodies(deflated))
    assert deflated.stat().st_size < plain.stat().st_size / 3


def test_bodies_hold_one_entry_or_many(tmp_path: Path) -> None:
    one, many = made(Shape(1, many=False), tmp_path), made(Shape(1), tmp_path)

    assert {len(json.loads(body)["records"]) for body in bodies(one)} == {1}
    assert min(len(json.loads(body)["records"]) for body in bodies(many)) >= 20


def test_entries_are_about_as_large_as_real_ones(tmp_path: Path) -> None:
    sizes = [len(entry.raw) for entry in read(made(Shape(1), tmp_path))]

    assert 2_000 < sum(sizes) / len(sizes) < 4_000
    assert max(sizes) < 8_000


def test_the_activity_has_everything_that_correlation_meets() -> None:
    made_up = [one for one in islice(operations(1), 5_000) if one.administrative]
    courses = [[record["resultType"] for _, record in one.entries] for one in made_up]

    assert ["Start", "Success"] in courses
    assert any("Accept" in course for course in courses)
    assert any("Failure" in course for course in courses)
    assert ["Start"] in courses, "an operation without an end"
    assert ["Success"] in courses, "an operation without a start"
    assert any(course.count("Start") > 1 for course in courses)
    assert any(course[0] != "Start" and "Start" in course for course in courses), "arrived out of order"


def test_entries_arrive_interleaved_with_others_in_between() -> None:
    records = list(islice(arrivals(1), 2_000))
    keys = [(record["correlationId"], record["operationName"], record["resourceId"]) for record in records]

    assert {record["category"] for record in records} > {"Administrative", "Policy"}
    neighbours = sum(one == other for one, other in pairwise(keys))
    assert neighbours < len(keys) / 4


def test_three_quarters_of_the_operations_are_split_over_the_partitions() -> None:
    made_up = spread(windows=3, entries=4_000, seed=1)

    assert {len(window) for window in made_up.windows} == {PARTITIONS}
    assert made_up.split / made_up.operations == pytest.approx(0.75, abs=0.03)
    files = [file for window in made_up.windows for file in window]
    entries = [item for file in files for item in entries_of_capture(file, "f")]
    assert len(entries) == made_up.entries
    assert any(isinstance(item, Entry) and item.status in TERMINAL for item in entries)
