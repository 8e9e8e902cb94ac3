"""What each metric says of motion whose flaw is known: the table in docs/metrics.md, and the effect of each departure.

A head of the demo sings its three songs; from the ground truth come methods with one flaw each. Nods are placed on the beats
that are heard in the music, so that beat scores have something to find.
"""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from singinghead.flame_model.params import FlameParams, Frames
from singinghead.flame_model.sequence import ParamSequence, load_sequence
from singinghead.flame_model.stored_file import StoredFile
from singinghead.metrics.audio_beats import Sound
from singinghead.metrics.clips import Method
from singinghead.metrics.comparison import compare
from singinghead.metrics.definitions import CORRECTED_3D
from singinghead.metrics.evaluate_3d import Benchmark, evaluate
from singinghead.metrics.head import MeasuredHead
from singinghead.metrics.results import MethodResult
from singinghead.metrics.sound_of_clip import Recordings
from singinghead.tools.demo.dataset import write_dataset

FPS = 30
DELAY_S = 0.1

SHOWN = (
    "lve_l2_mm", "ve_mm", "mve_mm", "fdd_m2", "head_rotation_deg", "beat_pose", "beat_pose_f1", "beat_pose_over_chance",
    "beat_pose_z", "mouth_open_mm", "mouth_open_dtw_mm", "mouth_lag_ms", "lip_closure_f1", "speech_lip_correlation",
    "jitter_mm_s2", "velocity_error_mm_s", "head_motion_deg",
)  # fmt: skip


@dataclass(frozen=True)
class Options:
    """Print a Markdown table: metrics down, flaws across; the demo's songs on the stand-in head."""

    keep: Path | None = None
    """A folder in which to leave the dataset and its methods."""
    all: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """All metrics of the corrected protocol, not a selection."""


def late(params: FlameParams) -> FlameParams:
    """100 ms later; the first frame is held."""
    behind = round(DELAY_S * FPS)
    return params.map(lambda x: np.concatenate([np.repeat(x[:1], behind, axis=0), x[:-behind]]))


def halved(params: FlameParams) -> FlameParams:
    """Half of every movement."""
    return params.map(lambda x: x * np.float32(0.5))


def frozen_face(params: FlameParams) -> FlameParams:
    """Neither expression nor jaw; the head moves on."""
    return replace(params, expression=0 * params.expression, jaw=0 * params.jaw)


def noisy(params: FlameParams) -> FlameParams:
    """Noise on every frame: 0.1 of an expression's deviation, and a third of a degree on jaw and head."""
    rng = np.random.default_rng(0)

    def shaken(values: Frames, size: float) -> Frames:
        return (values + size * rng.standard_normal(values.shape)).astype(np.float32)

    turns = {name: shaken(getattr(params, name), 0.006) for name in ("jaw", "global_pose", "neck")}
    return replace(params, expression=shaken(params.expression, 0.1), **turns)


FLAWS: Mapping[str, Callable[[FlameParams], FlameParams]] = {
    "100 ms late": late,
    "amplitude halved": halved,
    "face frozen": frozen_face,
    "noise added": noisy,
}


def on_beats(params: FlameParams, beats_s: np.ndarray) -> FlameParams:
    """The same face on a head that nods once from each beat to the next, and rests on the beats."""
    period = float(np.median(np.diff(beats_s)))
    edges = np.concatenate([beats_s[0] - period * np.arange(8, 0, -1), beats_s, beats_s[-1] + period * np.arange(1, 9)])
    t = np.arange(len(params)) / FPS
    k = np.searchsorted(edges, t, side="right") - 1
    phase = (t - edges[k]) / (edges[k + 1] - edges[k])
    angle = 0.12 * np.where(k % 2, 1 + np.cos(np.pi * phase), 1 - np.cos(np.pi * phase)) / 2
    half = np.stack([angle / 2, 0 * angle, 0 * angle], axis=1).astype(np.float32)
    return replace(params, global_pose=half, neck=half)


def write_methods(root: Path) -> tuple[str, ...]:
    """Put the heads of the dataset's own motion on the beats of the music, and write a method a flaw; returns the IDs."""
    ids = tuple(write_dataset(root))
    for clip_id in ids:
        path = root / "flame_seqs" / f"{clip_id}.pkl"
        sequence = load_sequence(path)
        assert isinstance(sequence, ParamSequence)
        beats = Sound((StoredFile(root / "bgm_seqs" / f"{clip_id}_bgm.wav"),)).beats_s()
        truth = on_beats(sequence.params, beats)
        path.unlink()
        write_motion(path.with_suffix(".npz"), truth, sequence.shape)
        for name, flawed in FLAWS.items():
            folder = root / "flaws" / name
            folder.mkdir(parents=True, exist_ok=True)
            write_motion(folder / f"{clip_id}.npz", flawed(truth), sequence.shape)
    return ids


def write_motion(path: Path, params: FlameParams, shape: Frames | None) -> None:
    """One sequence in the release's keys."""
    codes = {} if shape is None else {"shapecode": shape}
    vectors = params.to_vectors()
    np.savez(path, allow_pickle=False, expcodes=vectors[:, :50], posecodes=vectors[:, 50:], **codes)


def measure(root: Path, ids: Sequence[str]) -> list[MethodResult]:
    """Every flaw and the baselines, on the stand-in head, to the beats of the music."""
    recordings = Recordings(root / "audio_seqs", root / "bgm_seqs", "bgm")
    benchmark = Benchmark(MeasuredHead.load(allow_stand_in=True), root / "flame_seqs", recordings)
    return evaluate([Method(name, root / "flaws" / name) for name in FLAWS], ids, benchmark)


def table(results: Sequence[MethodResult], names: Sequence[str]) -> str:
    """Markdown: metrics down, methods across."""
    together = compare(results)
    lines = ["| | " + " | ".join(result.method for result in results) + " |", "|---|" + "---:|" * len(results)]
    for name in names:
        found = [together.value(result, name).value for result in results]
        lines.append(f"| `{name}` | " + " | ".join("—" if value is None else f"{value:.3g}" for value in found) + " |")
    return "\n".join(lines)


def show(options: Options) -> None:
    """Make, measure and print."""
    with tempfile.TemporaryDirectory(prefix="singinghead-answers-") as folder:
        root = options.keep or Path(folder)
        results = measure(root, write_methods(root))
        print(table(results, [metric.name for metric in CORRECTED_3D] if options.all else SHOWN))


def main() -> int:
    """Run the command."""
    return command.run(Options, show, "known_answers")


if __name__ == "__main__":
    raise SystemExit(main())
