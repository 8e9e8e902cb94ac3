"""The command of the 2D benchmark, on videos of faces that our own renderer drew: the order of methods is known."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import commands
import pytest
from generated_videos import IDS, METHODS, write_eval_folder

from singinghead.metrics.result_file import read_result

SCRIPT = "metrics/calculate_2d_metrics.py"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands here keep what they find: no network's weights are there."""
    return tmp_path_factory.mktemp("home")


def run(home: Path, *arguments: object) -> commands.Done:
    own = {"XDG_CACHE_HOME": str(home / "cache"), "TORCH_HOME": str(home / "torch")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "ENVIRONMENT", {**os.environ, **own})
        return commands.run(SCRIPT, *arguments)


@dataclass(frozen=True)
class Measured:
    """The folder, what the command printed, and its results by method."""

    folder: Path
    done: commands.Done
    metrics: dict[str, dict[str, float | None]]

    def order(self, metric: str) -> list[str]:
        """Methods from the smallest value to the largest, of those that have one."""
        values = {method: self.metrics[method][metric] for method in METHODS}
        known = {method: value for method, value in values.items() if value is not None}
        return sorted(known, key=known.__getitem__)


@pytest.fixture(scope="module")
def measured(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    folder = write_eval_folder(tmp_path_factory.mktemp("videos") / "eval", size=256, seconds=1.6)
    done = run(home, folder, "--every", 3, "--json")
    results = folder / "metric_results"
    metrics = {name: json.loads((results / f"{name}.json").read_text())["metrics"] for name in ("ground truth", *METHODS)}
    return Measured(folder, done, metrics)


def test_all_is_measured_offline(measured: Measured) -> None:
    assert measured.done.returncode == 0, measured.done.stderr
    last = json.loads(measured.done.stdout.splitlines()[-1])
    assert last["n_failed"] == 0
    assert set(last["methods"]) == set(METHODS)
    for path in last["methods"].values():
        result = read_result(path)
        assert [record.id for record in result.sequences] == list(IDS)
        assert not any("no face" in note for record in result.sequences for note in record.notes)
    assert "2D benchmark" in measured.done.stdout


@pytest.mark.parametrize(
    ("metric", "order"),
    [
        # Smallest first. PSNR of identical videos is infinite, and so null.
        ("psnr_db", ["other_identity", "delayed", "blurred"]),
        ("f_lmd_px_dlib", ["identical", "blurred", "other_identity", "delayed"]),
        ("m_lmd_px_dlib", ["identical", "blurred", "other_identity", "delayed"]),
        ("m_lmd_iod_dlib", ["identical", "blurred", "other_identity", "delayed"]),
        ("csim_dlib", ["other_identity", "blurred", "delayed", "identical"]),
    ],
)
def test_methods_come_out_in_their_order(measured: Measured, metric: str, order: list[str]) -> None:
    values = {method: measured.metrics[method][metric] for method in METHODS}
    assert measured.order(metric) == order, values


@pytest.mark.parametrize("metric", ["ssim", "ssim_wang"])
def test_structure_is_best_in_the_identical_and_worse_the_more_changes(measured: Measured, metric: str) -> None:
    order = measured.order(metric)
    assert order[2:] == ["blurred", "identical"]
    assert measured.metrics["identical"][metric] == pytest.approx(1)


def test_sharpness_and_beats_of_the_identical_are_the_ground_truths(measured: Measured) -> None:
    truth, identical = measured.metrics["ground truth"], measured.metrics["identical"]
    assert {name for name, value in truth.items() if value is not None} <= {"cpbd"} | {
        name for name in truth if name.startswith("beat_lmk_dlib")
    }
    for name, value in truth.items():
        assert value is None or value == identical[name]
    assert measured.metrics["blurred"]["cpbd"] < 0.5 * truth["cpbd"]
    assert measured.metrics["delayed"]["cpbd"] == pytest.approx(truth["cpbd"], rel=0.05)
    assert truth["beat_lmk_dlib"] is not None


def test_what_has_no_weights_is_null_with_the_remedy(measured: Measured) -> None:
    document = json.loads((measured.folder / "metric_results" / "blurred.json").read_text())
    for metric, network in (("lpips_alex", "alexnet"), ("fid_clean", "inception"), ("kid_clean", "inception")):
        assert document["metrics"][metric] is None
        assert f"weights.py get {network}" in document["reasons"][metric]


def test_the_report_shows_them(measured: Measured) -> None:
    results = measured.folder / "metric_results"
    page = (results / "report.html").read_text()
    for name in (*METHODS, "ground truth", "m_lmd_px_dlib", "csim_dlib", "beat_lmk_dlib"):
        assert name in page
    with (results / "summary.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert any("psnr_db" in cell for row in rows for cell in row)
    assert (results / "summary.tex").stat().st_size > 500
    assert re.search(r"`m_lmd_px_dlib` ↓ \| px \| —", (results / "summary.md").read_text())


def test_the_number_of_workers_and_a_rerun_change_nothing(measured: Measured, home: Path, tmp_path: Path) -> None:
    """One clip again, by one process and a cache of its own."""
    small = tmp_path / "small"
    for path in measured.folder.rglob(f"{IDS[0]}.*"):
        place = small / path.relative_to(measured.folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    for name in ("blurred", "identical", "other_identity"):
        shutil.rmtree(small / "generated" / name)
    done = run(tmp_path / "home", small, "--every", 3, "--workers", 0)
    assert done.returncode == 0, done.stderr
    here, before = (read_result(root / "metric_results" / "delayed.json") for root in (small, measured.folder))
    assert (here.sequences[0].metrics, here.sequences[0].notes) == (before.sequences[0].metrics, before.sequences[0].notes)
    again = run(tmp_path / "home", small, "--every", 3, "--workers", 1)
    assert again.stdout == done.stdout


def test_failures_are_told_and_end_in_1(measured: Measured, home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    for name in ("gt_videos", "identical", "delayed"):
        shutil.copytree(measured.folder / "generated" / name, broken / "generated" / name)
    shutil.copytree(measured.folder / "input_audio", broken / "input_audio")
    video = broken / "generated" / "delayed" / f"{IDS[0]}.mp4"
    video.write_bytes(video.read_bytes()[:20_000])
    done = run(home, broken, "--every", 3, "--workers", 0, "--json")
    assert done.returncode == 1
    assert f"warning: delayed, {IDS[0]}: {video}: " in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert json.loads(done.stdout.splitlines()[-1])["n_failed"] == 1
    assert read_result(broken / "metric_results" / "delayed.json").failures.keys() == {IDS[0]}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--require", "FID,LPIPS"], "--require FID: "),
        (["--require", "vision"], "there is no such metric"),
        (["--size", "32"], "--size must be 64 or more"),
        (["--every", "0"], "--every 1 or more"),
        (["--workers", "-1"], "--workers must be 0 or more"),
        (["--weights", "nowhere"], "nowhere: no such folder"),
        (["--protocol", "seed", "--landmarks", "dlib"], "the seed protocol's landmarks are FAN's"),
        (["--landmarks", "mediapipe"], "mediapipe"),
    ],
)
def test_wrong_use_is_one_line(measured: Measured, home: Path, options: list[str], words: str) -> None:
    commands.assert_one_line(run(home, measured.folder, *options), words)


def test_a_folder_that_is_none_is_one_line(home: Path, tmp_path: Path) -> None:
    commands.assert_one_line(run(home, tmp_path / "nowhere"), "nowhere: no such folder", "input_audio")


def test_the_seed_protocol_without_fan_says_what_is_missing(measured: Measured, home: Path, tmp_path: Path) -> None:
    for name in ("gt_videos", "blurred"):
        (tmp_path / "generated" / name).mkdir(parents=True)
        shutil.copy(measured.folder / "generated" / name / f"{IDS[0]}.mp4", tmp_path / "generated" / name)
    done = run(home, tmp_path, "--protocol", "seed", "--workers", 0)
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "metric_results" / "blurred.json").read_text())
    assert document["protocol"] == "seed"
    assert set(document["metrics"]) == {"FID", "PSNR", "SSIM", "CPBD", "LPIPS", "F-LMD", "M-LMD", "BA"}
    assert {name for name, value in document["metrics"].items() if value is not None} == {"PSNR", "SSIM", "CPBD"}
    assert "weights.py get s3fd" in document["reasons"]["F-LMD"]
