"""Pages as a user makes them, and each of his mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import played
import pytest
import splits
from commands import assert_one_line, run

SCRIPT = "tools/make_player.py"
ID = "id0_1_0_0"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One clip of 30 frames, and three methods: a still one, one of 20 frames at 25 a second, and one of vertices."""
    root = tmp_path_factory.mktemp("player") / "SingingHead"
    splits.write_clip(root, ID)
    for name in ("still", "slow", "empty", "other"):
        (root / name).mkdir()
    motion = 0.1 * np.random.default_rng(2).standard_normal((30, 59)).astype(np.float32)
    np.save(root / "still" / f"{ID}.npy", np.zeros((30, 59), np.float32))
    np.save(root / "slow" / f"{ID}.npy", motion[:20])
    np.save(root / "other" / f"{ID}.npy", motion)
    return root


def test_a_page_of_three_methods_says_what_it_holds(root: Path, tmp_path: Path) -> None:
    played.needs_page()
    out = tmp_path / "x.html"
    methods = (
        "--pred",
        f"still={root / 'still'}",
        "--pred",
        f"Größe={root / 'slow'}@25",
        "--pred",
        f"other={root / 'other'}",
    )
    done = run(SCRIPT, ID, "--gt", root / "flame_seqs", *methods, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout.splitlines()[-1])
    assert (record["frames"], record["methods"], record["sound"]) == (24, ["still", "Größe", "other"], True)
    assert record["bytes"] == out.stat().st_size < 10e6
    assert "cut to 0.80 s" in done.stdout
    document, block = played.contents(out)
    assert [actor["name"] for actor in document["actors"]] == ["ground truth", "still", "Größe", "other"]
    assert document["model"].startswith("stand-in")
    assert played.array(document["actors"][1]["lips_mm"], block).mean() > 0.1
    text = out.read_text("utf-8")
    assert "default-src 'none'" in text
    assert "src=" not in text.split("<script")[0]


def test_no_sound_is_said(root: Path, tmp_path: Path) -> None:
    played.needs_page()
    done = run(SCRIPT, ID, "--data-root", root, "--pred", f"still={root / 'still'}", "--no-audio", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "without sound" in done.stdout
    assert played.contents(tmp_path / f"{ID}.html")[0]["sound"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--pred", "still=nowhere"], ["nowhere", "no such folder"]),
        (["--pred", "a={root}/empty"], ["a:", "empty", f"no {ID}.pkl"]),
        (["--pred", "a={root}/still", "--out", "x.mp4"], ["x.mp4", ".html"]),
        (["--pred", "a={root}/still", "--out", "no/x.html"], ["no/x.html", "folder does not exist"]),
        (["--pred", "a={root}/still", "--scale-mm", "0"], ["scale to 0 mm"]),
        (["--pred", "a={root}/still", "--bgm", "no.wav"], ["no.wav", "no such file"]),
        (["--pred", "a={root}/still", "--flame", "no.pkl"], ["no.pkl"]),
        ([], ["--pred"]),
    ],
)
def test_a_mistake_is_told_in_one_line(arguments: list[str], words: list[str], root: Path, tmp_path: Path) -> None:
    played.needs_page()
    given = [argument.format(root=root) for argument in arguments]
    assert_one_line(run(SCRIPT, ID, "--data-root", root, *given, cwd=tmp_path), *words)
    assert not list(tmp_path.iterdir())


def test_an_id_that_nobody_has(root: Path, tmp_path: Path) -> None:
    done = run(SCRIPT, "id9_9_9_9", "--gt", root / "flame_seqs", "--pred", f"a={root / 'still'}", cwd=tmp_path)
    assert_one_line(done, "ground truth", "no id9_9_9_9.pkl")
