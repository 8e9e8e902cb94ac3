"""The seed's way, rewritten for timing, gives the seed's printed numbers; and known flaws get their known answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import commands
import numpy as np
import pytest
import torch
from golden_inputs import FACE, GOLDEN, LIPS, UPPER_FACE_TWICE, motion_inputs, vertex_inputs


@pytest.fixture(autouse=True)
def benchmarks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripts' folder on the path, as when they run."""
    monkeypatch.syspath_prepend(str(commands.ROOT / "benchmarks"))


def batch(pairs: Any) -> tuple[torch.Tensor, torch.Tensor]:
    truths, samples = zip(*pairs, strict=True)
    return torch.from_numpy(np.stack(samples)), torch.from_numpy(np.stack(truths))


def test_the_seeds_way_gives_the_seeds_numbers() -> None:
    import seed_way

    samples, truth = batch((truth, samples) for truth, samples, *_ in vertex_inputs())
    found = seed_way.vertex_metrics(samples, truth, LIPS, FACE, UPPER_FACE_TWICE)
    found |= {"diversity_verts": seed_way.diversity(samples), "diversity_face": seed_way.diversity(samples[..., FACE, :])}
    found |= seed_way.motion_metrics(*batch(motion_inputs()))
    for name, value in found.items():
        assert value == pytest.approx(GOLDEN[name], rel=2e-5), name
    rng = np.random.default_rng(1)
    landmarks = np.cumsum((0.001 * rng.standard_normal((1, 1, 240, 68, 3))).astype(np.float32), axis=2)[0, 0]
    pose = np.cumsum((0.01 * rng.standard_normal((1, 1, 240, 6))).astype(np.float32), axis=2)[0, 0]
    beats = np.array(GOLDEN["audio_beat_frames"])
    assert seed_way.beat_alignment(beats, landmarks) == pytest.approx(GOLDEN["ba_lmk"], rel=1e-6)
    assert seed_way.beat_alignment(beats, pose[:, None]) == pytest.approx(GOLDEN["ba_pose"], rel=1e-6)
    assert len(found) + 2 == len(GOLDEN) - 1, "all but the beats of the sound"


@pytest.mark.slow
def test_both_ways_agree_and_are_timed(tmp_path: Path) -> None:
    done = commands.run("benchmarks/bench_metrics.py", "--quick", "--out", tmp_path / "results.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| seed_way |" in done.stdout
    assert (tmp_path / "results.json").stat().st_size > 100


def test_known_flaws_get_their_known_answers(tmp_path: Path) -> None:
    import known_answers

    results = known_answers.measure(tmp_path, known_answers.write_methods(tmp_path))
    together = known_answers.compare(results)
    found = {result.method: {m.name: together.value(result, m.name).value for m in result.definitions} for result in results}
    truth, late, halved, frozen, noisy = (found[name] for name in ("ground truth", *known_answers.FLAWS))

    def number(method: dict[str, float | None], name: str) -> float:
        value = method[name]
        assert value is not None, name
        return value

    assert number(late, "mouth_lag_ms") == pytest.approx(100, abs=2)
    assert number(late, "mouth_open_dtw_mm") < 0.05 * number(late, "mouth_open_mm")
    assert number(halved, "mouth_lag_ms") == pytest.approx(0, abs=2)
    assert number(halved, "jitter_mm_s2") == pytest.approx(number(truth, "jitter_mm_s2") / 2, rel=0.02)
    assert number(halved, "head_motion_deg") == pytest.approx(number(truth, "head_motion_deg") / 2, rel=0.02)
    assert number(frozen, "lve_l2_mm") == pytest.approx(2 * number(halved, "lve_l2_mm"), rel=0.02)
    assert number(frozen, "fdd_m2") > number(halved, "fdd_m2") > 10 * abs(number(late, "fdd_m2"))
    assert frozen["mouth_lag_ms"] is None
    assert frozen["speech_lip_correlation"] is None
    assert number(frozen, "head_rotation_deg") == pytest.approx(0, abs=1e-4)
    assert number(noisy, "jitter_mm_s2") > 2 * number(truth, "jitter_mm_s2")
    for flawed in (late, halved, frozen, noisy):
        for name in ("lve_l2_mm", "ve_mm", "mve_mm", "mouth_open_mm", "velocity_error_mm_s"):
            assert number(flawed, name) > number(truth, name) == 0
    for unmoved in (truth, halved, frozen):
        assert number(unmoved, "beat_pose") > 0.9
        assert number(unmoved, "beat_pose_over_chance") > 0.4
        assert number(unmoved, "beat_pose_z") > 1.5
    assert number(late, "beat_pose_over_chance") < 0.2
    assert abs(number(found["shuffled audio"], "beat_pose_over_chance")) < 0.1
    assert number(found["still face"], "beat_pose") == 0
