"""The command's way through real logs: nothing is lost, nothing is mixed up."""

import csv
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.condense.files import entries_of_file
from local.condense.main import main
from shared.capture.correlate import Plan, Run, correlate
from shared.capture.entries import CONDENSED, Entry
from shared.capture.sift import Sifted, sift
from shared.model.operations import Known
from tests.capture.activity_log import exact, loads, members

SETS = ("cli_vm_os_disk_2018", "xplat_group_log", "xplat_role_audit")


def condensed(paths: Iterable[Path]) -> tuple[list[Entry], Sifted, Plan]:
    """What the command makes of files: the entries as read, sorted, and combined; nothing is lost."""
    found = [one for path in paths for one in entries_of_file(path.read_bytes(), str(path))]
    sifted = sift(found)
    plan = correlate(sifted.administrative, Known(), Run("run", datetime.now(UTC), timedelta()))
    (sifted.counts + plan.counts).check()
    assert (sifted.counts + plan.counts).still_parked == 0
    entries = [one for one in found if isinstance(one, Entry)]
    left = Counter(exact(one.raw) for one in [*sifted.passed, *plan.passed])
    for made in plan.records:
        left += members(made.line)
    assert left == Counter({exact(raw): 1 for raw in {one.raw for one in entries}})
    return entries, sifted, plan


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".tsv", ".md"))


@pytest.mark.parametrize("folder", ["activity", "entra", "defender", "resource", "capture"])
def test_every_entry_of_every_real_file_leaves_exactly_once(samples: Path, folder: str) -> None:
    files = files_of(samples / folder)
    assert files
    for path in files:
        condensed([path])
    condensed(files)


def test_nothing_but_text_that_is_no_json_is_set_aside(samples: Path) -> None:
    for folder in ("activity", "entra", "defender", "resource", "capture"):
        for path in files_of(samples / folder):
            _, sifted, _ = condensed([path])
            assert bool(sifted.asides) == (path.suffix in (".csv", ".log")), path


def groups(samples: Path, name: str) -> list[dict[str, str]]:
    with (samples / "activity" / "export" / f"{name}.groups.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def entries_with(records: list[dict[str, Any]], group: dict[str, str]) -> Counter[str]:
    names = ("correlationId", "operationName", "resourceId")
    return Counter(
        json.dumps(one, sort_keys=True)
        for one in records
        if all(one.get(name, "") == group[name] for name in names) and one["category"] == "Administrative"
    )


@pytest.mark.parametrize("name", SETS)
def test_each_record_holds_exactly_the_entries_of_its_group(samples: Path, name: str) -> None:
    path = samples / "activity" / "export" / f"{name}.jsonl"
    records = [loads(line) for line in path.read_bytes().splitlines()]
    _, _, plan = condensed([path])

    expected = [found for group in groups(samples, name) if (found := entries_with(records, group))]

    assert sum(map(len, expected)) > 0
    assert sorted(map(sorted, map(Counter.elements, expected))) == sorted(
        sorted(members(made.line).elements()) for made in plan.records
    )


@pytest.mark.parametrize("name", ["cli_vm_os_disk_2018", "xplat_role_audit"])
def test_events_as_the_list_command_prints_them_fall_into_the_same_groups(samples: Path, name: str) -> None:
    _, sifted, plan = condensed([samples / "activity" / "rest" / f"{name}.json"])
    passed = {json.loads(one.raw)["properties"]["eventDataId"] for one in sifted.passed}
    expected = [
        ids for group in groups(samples, name) if not (ids := set(group["eventDataIds"].split(","))) & passed
    ]
    made = [
        {json.loads(one)["properties"]["eventDataId"] for one in members(record.line)}
        for record in plan.records
    ]
    assert sorted(map(sorted, made)) == sorted(map(sorted, expected))


def test_the_oldest_events_as_the_list_command_prints_them_are_combined_too(samples: Path) -> None:
    entries, sifted, plan = condensed([samples / "activity" / "rest" / "xplat_group_log.json"])
    assert len(entries) == 19
    assert sifted.passed == ()
    assert sorted(
        json.loads(one.line)[CONDENSED]["num_correlated_records"] for one in plan.records
    ) == sorted(int(group["n"]) for group in groups(samples, "xplat_group_log"))


def test_the_command_runs_over_all_real_activity_logs_at_once(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.ndjson"
    files = [str(path) for path in files_of(samples / "activity")]
    assert main([*files, "--out", str(out)]) == 0
    assert "operations" in capsys.readouterr().err
    assert all(json.loads(line) for line in out.read_bytes().splitlines())


def test_a_real_capture_file_is_read_whole(samples: Path) -> None:
    entries, sifted, _ = condensed([next((samples / "capture").glob("*.avro"))])
    assert len(entries) == 20
    assert sifted.counts.duplicates == 0
