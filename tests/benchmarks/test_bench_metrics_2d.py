"""The benchmark of the 2D metrics at its smallest: that it measures what it says."""

from __future__ import annotations

import json
from pathlib import Path

import commands
import pytest


@pytest.mark.slow
def test_the_quick_benchmark_compares_both_ways(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    done = commands.run("benchmarks/bench_metrics_2d.py", "--quick", "--memory", "--out", out)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    seeds, ours, _alone, again = result["cases"]
    assert [seconds for seconds, peak in result["peak_mb"].items() if peak > 100] == ["0.25", "1"]
    assert seeds["times_as_fast"] == 1
    assert set(seeds["step_seconds"]) == {"encode anew", "JPEGs", "PSNR", "SSIM", "CPBD", "LMD", "BA", "beats"}
    assert 0 < sum(seeds["step_seconds"].values()) < seeds["seconds"]
    assert set(seeds["metrics"]) == {"smoothed", "late"}
    for row in (ours, again):
        assert row["times_as_fast"] == pytest.approx(seeds["seconds"] / row["seconds"])
        assert row["cpu_seconds"] > 0
        assert 0 < row["bytes_left"] < seeds["bytes_left"]
    assert again["cpu_seconds"] < ours["cpu_seconds"]
    assert f"{ours['times_as_fast']:.1f}" in done.stdout


def test_a_mistake_ends_in_one_line(tmp_path: Path) -> None:
    done = commands.run("benchmarks/bench_metrics_2d.py", "--clips", 4, "--out", tmp_path / "x.json")
    commands.assert_one_line(done, "--clips must be 1, 2 or 3")
