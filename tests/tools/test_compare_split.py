"""A list of comparisons as a user makes them: resumed, recorded, its failures named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import decoded
import numpy as np
import pytest
import splits
from commands import Done, assert_one_line, run

SCRIPT = "tools/compare.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three clips of 12 frames, and a still method that lacks the last of them."""
    root = tmp_path / "SingingHead"
    clip_ids = splits.write_split(root, 3, n_frames=12)
    (root / "still").mkdir()
    for clip_id in clip_ids[:2]:
        np.save(root / "still" / f"{clip_id}.npy", np.zeros((12, 59), np.float32))
    return root


def compare(root: Path, out: Path, *options: object) -> tuple[Done, dict[str, Any]]:
    method = ("--pred", f"still={root / 'still'}")
    done = run(
        SCRIPT, "--split", root / "test.txt", "--data-root", root, *method, "--out", out, "--height", 360, "--json", *options
    )
    last = (done.stdout.splitlines() or [""])[-1]
    return done, json.loads(last) if last.startswith("{") else {}


def test_a_list_is_compared_recorded_and_resumed(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done, result = compare(root, out)
    assert done.returncode == 1, done.stderr
    assert (result["clips"], result["made"], result["failed"]) == (3, 2, 1)
    (failure,) = done.stderr.splitlines()
    assert failure.startswith("failed: id2_2_0_0: still:")
    assert "no id2_2_0_0.pkl" in failure
    splits.assert_nothing_else(out, ["id0_0_0_0", "id1_1_0_0"])
    assert "methods: still" in decoded.facts(out / "id0_0_0_0.mp4")
    assert len(decoded.sound(out / "id0_0_0_0.mp4")) == 0.4 * 48_000
    record = splits.records(out)["id0_0_0_0"]
    assert record["options"]["comparison"]["methods"] == [["still", 30.0]]
    assert set(record["inputs"]) == {"truth", "real", "vocals", "bgm", "method still"}

    np.save(root / "still" / "id2_2_0_0.npy", np.zeros((12, 59), np.float32))
    np.save(root / "still" / "id1_1_0_0.npy", np.full((12, 59), 0.01, np.float32))
    done, result = compare(root, out)
    assert done.returncode == 0, done.stderr
    assert (result["made"], result["already_done"], result["done"]) == (2, 1, 3)
    assert "1 failed before, 1 made from other inputs" in done.stdout or "1 made from other inputs, 1 failed" in done.stdout
    assert compare(root, out)[1]["made"] == 0
    assert compare(root, out, "--scale-mm", 5)[1]["made"] == 3


def test_one_clip_of_a_list_is_what_it_is_alone(root: Path, tmp_path: Path) -> None:
    compare(root, tmp_path / "out", "--workers", 1)
    alone = tmp_path / "alone.mp4"
    arguments = ("--data-root", root, "--pred", f"still={root / 'still'}", "--height", 360, "--out", alone)
    assert run(SCRIPT, "id0_0_0_0", *arguments).returncode == 0
    pixels = [
        np.frombuffer(decoded.decode(path, "-f", "rawvideo", "-pix_fmt", "gray"), np.uint8).astype(int)
        for path in (alone, tmp_path / "out" / "id0_0_0_0.mp4")
    ]
    assert np.abs(pixels[0] - pixels[1]).mean() < 0.2, "but for x264's threads"


def test_what_was_cut_is_told_and_recorded(root: Path, tmp_path: Path) -> None:
    np.save(root / "still" / "id0_0_0_0.npy", np.zeros((5, 59), np.float32))
    splits.write_list(root, ["id0_0_0_0"])
    done, _ = compare(root, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert any("still 0.17 s" in note for note in splits.records(tmp_path / "out")["id0_0_0_0"]["notes"])
    assert "lengths differ" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["a clip or a split", "--split FILE --out DIR"]),
        (["id0_0_0_0", "--split", "{root}/test.txt"], ["a clip or a split"]),
        (["--split", "{root}/test.txt"], ["--split needs --out"]),
        (["--split", "{root}/none.txt", "--out", "o"], ["none.txt", "no such file"]),
        (["--split", "{root}/test.txt", "--out", "o", "--still", "1s"], ["--still is for one clip"]),
        (["--split", "{root}/test.txt", "--out", "o", "--shard", "2/2"], ["--shard 2/2"]),
        (["--split", "{root}/test.txt", "--out", "{root}/still"], ["still", "is a folder of sequences"]),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], words: list[str], root: Path, tmp_path: Path) -> None:
    given = [argument.format(root=root) for argument in arguments]
    assert_one_line(run(SCRIPT, *given, "--data-root", root, "--pred", f"a={root / 'still'}", cwd=tmp_path), *words)
    assert not (tmp_path / "o").exists()
