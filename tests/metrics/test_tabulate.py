"""The command: tables again from saved results, or one line why not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import commands
import pytest
from made_results import drawn

from singinghead.metrics.result_file import write_result

SCRIPT = "metrics/tabulate.py"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    for row in (drawn("ours", 1), drawn("late", 2, level=2), drawn("truth", 3, role="ground truth")):
        write_result(row, folder / f"{row.method}.json")
    write_result(replace(drawn("old", 4), protocol="seed"), folder / "old.json")
    (folder / "broken.json").write_text("{")
    return folder


def test_prints_the_table_and_writes_what_is_asked_for(saved: Path, tmp_path: Path) -> None:
    files = [saved / f"{name}.json" for name in ("late", "ours", "truth")]
    done = commands.run(
        SCRIPT, *files, "--out", tmp_path / "out", "--metrics", "score, error_mm", "--order", "ours", "--json"
    )
    assert done.returncode == 0, done.stderr
    *table, last = done.stdout.splitlines()
    head = next(line for line in table if line.startswith("| metric"))
    assert [cell.strip() for cell in head.split("|")[3:-1]] == ["truth", "ours", "late"]
    assert [line.split("`")[1] for line in table if line.startswith("| `")] == ["score", "error_mm"]
    record = json.loads(last)
    assert record["protocol"] == "corrected"
    assert record["n_sequences"] == 40
    assert list(record["metrics"]["ours"]) == ["score", "error_mm"]
    assert {Path(name).name for name in record["files"]} == {path.name for path in (tmp_path / "out").iterdir()}
    assert (tmp_path / "out" / "summary.md").read_text() == "\n".join(table)
    assert "lag_ms" not in (tmp_path / "out" / "report.html").read_text()


def test_only_prints_without_out(saved: Path, tmp_path: Path) -> None:
    done = commands.run(SCRIPT, saved / "ours.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("# 3D benchmark, corrected protocol\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ours.json", "old.json"], ["old.json: protocol is seed, but corrected in", "ours.json"]),
        (["ours.json", "ours.json"], ["holds the same name"]),
        (["broken.json"], ["broken.json: is not strict JSON"]),
        (["none.json"], ["none.json: cannot be read"]),
        (["ours.json", "--metrics", "LVE"], ["no result holds the metric 'LVE'", "error_mm"]),
        (["ours.json", "--order", "mine"], ["--order names 'mine'", "there are ours"]),
        (["ours.json", "--out", "broken.json"], ["cannot be written"]),
        ([], ["no results are given"]),
    ],
)
def test_a_mistake_is_one_line(saved: Path, arguments: list[str], words: list[str]) -> None:
    done = commands.run(SCRIPT, *arguments, cwd=saved)
    commands.assert_one_line(done, *words)
