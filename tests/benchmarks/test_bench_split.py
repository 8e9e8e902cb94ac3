"""The benchmark of a split at its smallest: that it measures what it says."""

from __future__ import annotations

import json
from pathlib import Path

import commands
import pytest


@pytest.mark.slow
def test_the_quick_benchmark_counts_clips_an_hour_and_projects_them(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    done = commands.run("benchmarks/bench_split.py", "--quick", "--peers", "--out", out)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    one, two = result["cases"]
    assert (one["workers"], two["workers"]) == (1, 2)
    for row in (one, two):
        assert row["clips"] == 3
        assert row["fps"] == pytest.approx(row["clips_per_hour"] * 240 / 3600)
        assert row["hours"] == {"test": 1829 / row["clips_per_hour"], "dataset": 12196 / row["clips_per_hour"]}
        assert 0 < row["start_seconds"] < row["process_seconds"]
        assert f"{row['clips_per_hour']:.0f}" in done.stdout


def test_a_mistake_ends_in_one_line(tmp_path: Path) -> None:
    done = commands.run("benchmarks/bench_split.py", "--quick", "--workers", 0, "--out", tmp_path / "x.json")
    commands.assert_one_line(done, "at least one worker")
