"""Small splits in the release's layout, runs of render_split over them, and what is left when those end."""

from __future__ import annotations

import json
import pickle
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import decoded
import numpy as np
import soundfile
from commands import ENVIRONMENT, argv

SCRIPT = "tools/render_split.py"

_ENCODER = """#!/bin/sh
# The real ffmpeg, after noting which clip it is launched for. For a clip named crash it kills who launched it, for one named
# shaky only the first time; for one named flaky it fails the first time.
for argument in "$@"; do
  case "$argument" in title=*)
    grep -qx "$argument" LOG; is_first=$?
    echo "$argument" >> LOG
    case "$argument-$is_first" in
      title=crash*|title=shaky*-1) kill -SEGV $PPID; exit 1;;
      title=flaky*-1) echo "a bad day" >&2; exit 1;;
    esac;;
  esac
done
exec FFMPEG "$@"
"""


def write_clip(root: Path, clip_id: str, n_frames: int = 30, seed: int = 0) -> None:
    """A second or so of motion with vocals and BGM."""
    rng = np.random.default_rng(seed)
    for folder in ("flame_seqs", "audio_seqs", "bgm_seqs"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    clip = {
        "expcodes": (0.3 * rng.standard_normal((n_frames, 50))).astype(np.float32),
        "posecodes": (0.05 * rng.standard_normal((n_frames, 9))).astype(np.float32),
        "shapecode": rng.standard_normal((1, 100)).astype(np.float32),
    }
    (root / "flame_seqs" / f"{clip_id}.pkl").write_bytes(pickle.dumps(clip))
    soundfile.write(root / "audio_seqs" / f"{clip_id}.wav", 0.1 * rng.standard_normal(n_frames * 16_000 // 30), 16_000)
    soundfile.write(root / "bgm_seqs" / f"{clip_id}_bgm.wav", 0.05 * rng.standard_normal(n_frames * 22_050 // 30), 22_050)


def write_split(root: Path, n_clips: int, n_frames: int = 30) -> list[str]:
    """That many clips and the list of them, ``test.txt``."""
    clip_ids = [f"id{index % 7}_{index}_0_0" for index in range(n_clips)]
    for index, clip_id in enumerate(clip_ids):
        write_clip(root, clip_id, n_frames, index)
    write_list(root, clip_ids)
    return clip_ids


def rename_clip(root: Path, before: str, after: str) -> None:
    """Call a clip by another name."""
    for path in root.glob(f"*_seqs/{before}*"):
        path.rename(path.with_name(path.name.replace(before, after)))


def write_list(root: Path, clip_ids: list[str]) -> None:
    (root / "test.txt").write_text("".join(f"{clip_id}\n" for clip_id in clip_ids))


def command(root: Path, out: Path, *options: object) -> list[str]:
    return argv(SCRIPT, root / "test.txt", "--data-root", root, "--out", out, "--size", 64, "--json", *options)


def render(
    root: Path, out: Path, *options: object, environment: dict[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run to the end; what it said, and the last line as JSON, if it came to that."""
    done = subprocess.run(
        command(root, out, *options), capture_output=True, text=True, check=False, env=ENVIRONMENT | (environment or {})
    )
    last = done.stdout.splitlines()[-1:] or [""]
    return done, json.loads(last[0]) if last[0].startswith("{") else {}


def counting_encoder(folder: Path) -> tuple[dict[str, str], Path]:
    """Environment variables that put a note-taker before ffmpeg, and its notes."""
    log, script = folder / "launches.log", folder / "ffmpeg"
    log.touch()
    script.write_text(_ENCODER.replace("LOG", str(log)).replace("FFMPEG", decoded.FFMPEG))
    script.chmod(0o755)
    return {"IMAGEIO_FFMPEG_EXE": str(script)}, log


def launches(log: Path) -> Counter[str]:
    return Counter(line.removeprefix("title=") for line in log.read_text().splitlines())


def records(out: Path, name: str = "manifest.jsonl") -> dict[str, dict[str, Any]]:
    """The last record of each ID, by a reader of our own: every line but a torn last one is an object."""
    lines = (out / name).read_text().splitlines()
    return {record["id"]: record for record in map(json.loads, lines)}


def frame_hashes(out: Path) -> dict[str, bytes]:
    """What each video decodes to, pictures and sound."""
    return {path.stem: decoded.decode(path, "-f", "framemd5") for path in sorted(out.glob("*.mp4"))}


def assert_nothing_else(out: Path, clip_ids: list[str], manifests: tuple[str, ...] = ("manifest.jsonl",)) -> None:
    """The folder holds whole videos of these clips, manifests, and nothing unfinished."""
    assert {path.name for path in out.iterdir()} == {*(f"{clip_id}.mp4" for clip_id in clip_ids), *manifests}
