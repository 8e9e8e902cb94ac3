"""The command as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import commands
import decoded
import numpy as np
import played
import pytest
from sung_dataset import IDS, Dataset, write_dataset

SCRIPT = "metrics/calculate_3d_metrics.py"
SHARED = commands.ROOT.parent / "shared" / "real"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    made = write_dataset(tmp_path_factory.mktemp("dataset"))
    made.write_noisy("several", 3)
    made.write_noisy("one", 1, seed=6)
    (made.method("broken") / f"{IDS[0]}.npy").write_bytes((made.method("one") / f"{IDS[0]}.npy").read_bytes())
    return made


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_results_tables_and_report_are_written(dataset: Dataset, tmp_path: Path) -> None:
    done = commands.run(
        SCRIPT, "--data-root", dataset.root, "--flame", dataset.model, "--out", tmp_path / "out", "--json",
        "--pred", f"several={dataset.method('several')}", "--pred", f"one={dataset.method('one')}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["n_failed"] == 0
    assert record["n_samples"] == 1
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"one.json", "several.json", "ground truth.json", "still face.json", "shuffled audio.json"} <= written
    assert {"summary.md", "summary.csv", "summary.tex", "per_sequence.csv", "report.html"} <= written
    result = read(Path(record["methods"]["several"]))
    assert result["protocol"] == "corrected"
    assert result["n_sequences"] == 3
    assert result["n_failed"] == 0
    assert result["model"] == "generic_model.pkl"
    assert len(result["mask_sha256"]) == 64
    assert result["units"]["lve_l2_mm"] == "mm"
    assert {"numpy", "torch", "librosa"} <= set(result["versions"])
    assert result["metrics"]["diversity_params"] > 0
    assert "one sample" in read(tmp_path / "out" / "one.json")["reasons"]["diversity_params"]


def test_the_worst_clips_are_shown_and_linked(dataset: Dataset, tmp_path: Path) -> None:
    done = commands.run(
        SCRIPT, "--data-root", dataset.root, "--flame", dataset.model, "--out", tmp_path, "--render-worst", "2",
        "--pred", f"several={dataset.method('several')}", "--no-baselines",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    errors = {record["id"]: record["metrics"]["lve_l2_mm"] for record in read(tmp_path / "several.json")["sequences"]}
    worst = sorted(errors, key=errors.__getitem__)[1:]
    kinds = ("mp4", "html") if played.is_built() else ("mp4",)
    made = sorted(f"{clip}.{kind}" for clip in worst for kind in kinds)
    assert sorted(path.name for path in (tmp_path / "worst").iterdir()) == made
    assert ("make player" in done.stderr) != played.is_built()
    report = (tmp_path / "report.html").read_text()
    assert all(f'href="worst/{name}"' in report for name in made)
    assert "methods: several" in decoded.facts(tmp_path / "worst" / f"{worst[0]}.mp4")


@pytest.mark.parametrize(("name", "out"), [("a/b", "out"), ("a", "file")])
def test_what_cannot_be_written_is_told_before_anything_is_measured(
    name: str, out: str, dataset: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    given = ("--data-root", dataset.root, "--flame", dataset.root / "none", "--pred", f"{name}={dataset.method('one')}")
    done = commands.run(SCRIPT, *given, "--out", tmp_path / out)
    commands.assert_one_line(done, "cannot name a file" if out == "out" else str(tmp_path / "file"))


def test_some_failures_are_told_and_end_in_1(dataset: Dataset, tmp_path: Path) -> None:
    done = commands.run(
        SCRIPT, "--gt", dataset.truth, "--split", dataset.root / "test.txt", "--flame", dataset.model, "--no-baselines",
        "--audio", dataset.root / "audio_seqs", "--out", tmp_path, "--pred", f"broken={dataset.method('broken')}",
        "--protocol", "seed",
    )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    assert f"broken, {IDS[1]}: " in done.stderr
    result = read(tmp_path / "broken.json")
    assert (result["protocol"], result["n_sequences"], result["n_failed"]) == ("seed", 1, 2)
    assert set(result["failures"]) == set(IDS[1:])
    assert result["metrics"]["diversity"] == 0


def test_nothing_measured_ends_in_1_and_writes_nothing(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = commands.run(
        SCRIPT, "--data-root", dataset.root, "--flame", dataset.model, "--out", tmp_path / "out",
        "--pred", f"empty={tmp_path / 'empty'}",
    )  # fmt: skip
    assert done.returncode == 1
    assert "no sequence of any method could be measured" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--pred", "x"), "names no method"),
        (("--pred", "x=nowhere"), "nowhere: no such folder"),
        (("--pred", "x={one}@0"), "no number of frames a second"),
        (("--pred", "x={one}", "--pred", "x={several}"), "'x' is taken"),
        (("--pred", "x={one}", "--split", "nowhere.txt"), "nowhere.txt"),
        (("--pred", "x={one}", "--gt", "nowhere"), "nowhere: no such folder"),
        (("--pred", "x={one}", "--audio", "nowhere"), "nowhere: no such folder"),
        (("--pred", "x={one}", "--fps", "0"), "no frame rate"),
        (("--pred", "x={one}", "--masks", "nowhere.pkl"), "nowhere.pkl"),
        (("--pred", "x={one}", "--device", "abacus"), "torch device 'abacus'"),
    ],
)
def test_a_mistake_is_one_line(options: tuple[str, ...], words: str, dataset: Dataset, tmp_path: Path) -> None:
    places = {name: dataset.method(name) for name in ("one", "several")}
    given = [option.format(**places) for option in options]
    done = commands.run(SCRIPT, "--data-root", dataset.root, "--flame", dataset.model, "--out", tmp_path, *given)
    commands.assert_one_line(done, words)


def test_the_stand_in_is_refused_in_one_line(dataset: Dataset, tmp_path: Path) -> None:
    done = commands.run(SCRIPT, "--data-root", dataset.root, "--out", tmp_path, "--pred", f"x={dataset.method('one')}")
    commands.assert_one_line(done, "--allow-stand-in")


def test_places_must_be_given(dataset: Dataset, tmp_path: Path) -> None:
    one = ("--pred", f"x={dataset.method('one')}", "--out", tmp_path)
    commands.assert_one_line(commands.run(SCRIPT, *one), "give --gt or --data-root")
    commands.assert_one_line(commands.run(SCRIPT, *one, "--gt", dataset.truth), "give --split")


@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared/real here")
def test_real_motion_with_samples_of_one_clip(tmp_path: Path) -> None:
    """Samples differ in the head's pose alone: without it, the best is the mean, and there is no diversity."""
    done = commands.run(
        SCRIPT, "--data-root", SHARED, "--pred", f"samples={SHARED / 'samples'}", "--out", tmp_path, "--allow-stand-in"
    )
    assert done.returncode == 1, "one clip of five has samples"
    result = read(tmp_path / "samples.json")
    assert (result["n_sequences"], result["n_failed"], result["n_samples"]) == (1, 4, 6)
    found = result["metrics"]
    assert found["lve_l2_mm"] == pytest.approx(found["lve_l2_mm_min"], rel=1e-6)
    assert found["diversity_verts_mm"] == pytest.approx(0, abs=1e-4)
    assert found["diversity_pose_rad"] > 0.01
    assert found["diversity_lmk_mm"] > 1
    assert found["dist_pose_rad_min"] < found["dist_pose_rad"]
    assert "No intervals" in (tmp_path / "summary.md").read_text()


def test_the_demos_late_method_shows_its_lag(tmp_path: Path) -> None:
    from singinghead.tools.demo.dataset import METHODS, write_dataset

    write_dataset(tmp_path / "demo")
    methods = [f"--pred={name}={tmp_path / 'demo' / 'methods' / name}" for name in METHODS]
    done = commands.run(
        SCRIPT, "--data-root", tmp_path / "demo", *methods, "--out", tmp_path / "out", "--allow-stand-in", "--no-baselines"
    )
    assert done.returncode == 0, done.stderr
    late, smoothed = (read(tmp_path / "out" / f"{name}.json") for name in ("late", "smoothed"))
    assert late["metrics"]["mouth_lag_ms"] == pytest.approx(1000 * METHODS["late"]["delay_s"], abs=5)
    assert abs(smoothed["metrics"]["mouth_lag_ms"]) < 5
    assert late["metrics"]["mouth_open_dtw_mm"] < smoothed["metrics"]["mouth_open_dtw_mm"] < 1
    assert smoothed["metrics"]["jitter_mm_s2"] < 0.5 * late["metrics"]["jitter_mm_s2"]
    assert np.isfinite(late["metrics"]["beat_pose_z"])
