import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.registry import BENCHMARKS
from benchmarks.report import Row, at_least, at_most, to_json

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603


@pytest.mark.parametrize("part", ["correlation.x", "correlation.round", "arm"])
def test_a_quick_run_writes_its_keys_and_prints_the_table(part: str, tmp_path: Path) -> None:
    out = tmp_path / "build" / "bench.json"

    done = run("--quick", "--only", part, "--out", str(out))

    assert done.returncode == 0, done.stderr
    written: dict[str, dict[str, Any]] = json.loads(out.read_text())
    assert set(written) == {key for one in BENCHMARKS for key in one.keys if key.startswith(part)}
    for figure in written.values():
        assert set(figure) == {"value", "goal", "holds", "runs"}
        assert isinstance(figure["value"], int | float)
        assert isinstance(figure["goal"], int | float)
        assert isinstance(figure["holds"], bool)
        assert figure["runs"] >= 1
    assert "measured" in done.stdout
    assert f"wrote {out}" in done.stderr


def test_a_part_is_selected_by_the_beginning_of_its_keys(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"

    done = run("--quick", "--only", "correlation.memory", "--out", str(out))

    assert done.returncode == 0, done.stderr
    assert set(json.loads(out.read_text())) == {"correlation.memory_growth_mb"}


def test_an_unknown_key_is_wrong_usage_and_shows_those_there_are(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"

    done = run("--only", "nothing", "--out", str(out))

    assert done.returncode == 2
    assert "correlation.x_naive" in done.stderr
    assert not out.exists()


def test_no_two_benchmarks_have_a_key_in_common() -> None:
    keys = [key for one in BENCHMARKS for key in one.keys]

    assert len(keys) == len(set(keys))


def test_a_goal_holds_at_its_limit_and_not_beyond() -> None:
    assert Row("faster", 9.0, 1, at_least(9.0)).holds
    assert not Row("faster", 8.99, 1, at_least(9.0)).holds
    assert Row("smaller", 16.0, 1, at_most(16.0)).holds
    assert not Row("smaller", 16.01, 1, at_most(16.0)).holds
    assert Row("explains", 1.0, 1).holds is None


def test_only_rows_with_a_key_are_written() -> None:
    rows = [Row("explains", 1.0, 3), Row("counts", 2.00049, 5, at_most(2.0), "some.key")]

    assert to_json(rows) == {"some.key": {"value": 2.0, "goal": 2.0, "holds": True, "runs": 5}}
