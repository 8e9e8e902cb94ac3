"""Measure methods in 3D against the ground truth: the benchmark's command."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from singinghead.flame_model.dataset import read_split
from singinghead.flame_model.errors import InputError
from singinghead.metrics.audio_beats import BeatAudio
from singinghead.metrics.clips import Method, is_stored
from singinghead.metrics.results import MethodResult, check_name
from singinghead.metrics.sound_of_clip import Recordings

if TYPE_CHECKING:
    from singinghead.metrics.summary import Summary

_PROGRAM = "calculate_3d_metrics"


@dataclass(frozen=True)
class Options:
    """Measure methods in 3D against the ground truth, and write results, tables and a report.

    Errors are in millimetres at zero head pose, on the ground truth's identity; docs/metrics.md defines every metric. Exit
    code 0: all measured; 1: some sequences failed, and are listed; 2: wrong use.
    """

    pred: tyro.conf.UseAppendAction[tuple[str, ...]]
    """NAME=DIR, once for each method: ID.pkl, ID.npz or ID.npy in it, one sample or several, parameters or vertices;
    NAME=DIR@25 for another frame rate."""
    out: Path
    """The folder to write: NAME.json, summary.md, .csv and .tex, per_sequence.csv, report.html."""
    gt: Path | None = None
    """The folder of the ground truth's sequences. Default: flame_seqs in --data-root."""
    audio: Path | None = None
    """The folder of the vocals, ID.wav. Default: audio_seqs in --data-root."""
    data_root: Path | None = None
    """A dataset in the release's layout: flame_seqs, audio_seqs, bgm_seqs; stands for --gt and --audio."""
    split: Path | None = None
    """The list of IDs to measure, one a line. Default: test.txt in --data-root."""
    flame: Path | None = None
    """A FLAME model file or its folder. Default: $SINGINGHEAD_FLAME."""
    masks: Path | None = None
    """A file of masks. Default: FLAME_masks.pkl beside the model."""
    protocol: Literal["corrected", "seed"] = "corrected"
    """Ours, or the SingingHead benchmark's own formulas, for its published tables."""
    beat_audio: BeatAudio = "vocals"
    """Whose beats count; mix is vocals and BGM together."""
    fps: float = 30.0
    """Frames a second of the ground truth, and of predictions without a rate of their own."""
    device: str = "cpu"
    """Where vertices are computed: auto, cpu, cuda."""
    allow_stand_in: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Measure on the licence-free stand-in head where there is no FLAME; results are marked, and compare with no others."""
    render_worst: int = 0
    """Of each method, make comparison videos and pages of so many clips with the largest lip error, linked in the report."""
    no_baselines: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Leave out the rows of the ground truth itself, of a still face and of another clip's sound."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object."""


def measure(options: Options) -> int:
    """Do what the options say; 1 if some sequences failed."""
    if options.render_worst < 0:
        raise InputError(f"--render-worst {options.render_worst} is not 0 or more")
    if not 0 < options.fps < float("inf"):
        raise InputError(f"--fps {options.fps:g} is no frame rate")
    methods = [Method.parse(text, options.fps) for text in options.pred]
    for method in methods:
        check_name(method.name)
    if options.out.exists() and not options.out.is_dir():
        raise InputError("is no folder", file=options.out)
    truth = _folder(options.gt, options.data_root, "flame_seqs", "--gt")
    ids = read_split(_split(options))
    recordings = _recordings(options)
    if recordings.vocals is None:
        print("warning: no --audio and no --data-root: metrics of sound are left out", file=sys.stderr)

    # Late: torch takes seconds to import, and nobody waits for it to hear of a mistyped name.
    from tqdm import tqdm

    from singinghead.flame_model.model import choose_device
    from singinghead.metrics.evaluate_3d import Benchmark, evaluate
    from singinghead.metrics.head import MeasuredHead
    from singinghead.metrics.report import write_all
    from singinghead.metrics.summary_tables import markdown

    device = choose_device(options.device)
    head = MeasuredHead.load(options.flame, options.masks, device, options.allow_stand_in)
    benchmark = Benchmark(head, truth, recordings, options.protocol, options.fps, not options.no_baselines)

    def counted(clips: Sequence[str]) -> Iterable[str]:
        return tqdm(clips, desc="3D metrics", unit="clip", disable=None)

    results = evaluate(methods, ids, benchmark, _settings(options), counted)
    competing = [result for result in results if result.is_method]
    for result in competing:
        for clip_id, reason in result.failures.items():
            print(f"warning: {result.method}, {clip_id}: {reason}", file=sys.stderr)
    n_failed = sum(len(result.failures) for result in competing)
    if not any(result.sequences for result in competing):
        print(f"{_PROGRAM}: no sequence of any method could be measured", file=sys.stderr)
        return 1
    summary = write_all(results, options.out)
    print(markdown(summary))
    if options.render_worst:
        _render_worst(options, summary, methods, truth, recordings)
    print(f"{options.out}: {len(ids)} sequences, {len(methods)} methods, {n_failed} failed | model: {head.arrays.name}")
    if options.json:
        command.print_json(_record(options, competing, n_failed))
    return 1 if n_failed else 0


def _render_worst(
    options: Options, summary: Summary, methods: Sequence[Method], truth: Path, recordings: Recordings
) -> None:
    """Show where methods are worst; the numbers are written already."""
    from tqdm import tqdm

    from singinghead.flame_model.model import FlameModel, choose_device
    from singinghead.metrics.report import write_summaries
    from singinghead.tools.worst_clips import show_worst, worst_clips

    clips = worst_clips(summary, options.render_worst)
    model, device = FlameModel.load(options.flame), choose_device(options.device)
    counted = tqdm(clips, desc="worst clips", unit="clip", disable=None)
    links = show_worst(counted, methods, truth, recordings, model, options.fps, device, options.out / "worst")
    write_summaries(summary, options.out, links)
    n_valid = len(summary.comparison.ids)
    print(f"{options.out / 'worst'}: comparisons of {', '.join(clips)}, of {n_valid} clips that every method has")


def _folder(given: Path | None, root: Path | None, part: str, option: str) -> Path:
    if given is None and root is None:
        raise InputError(f"nothing says where {part} are", remedy=f"give {option} or --data-root")
    folder = given or Path(str(root)) / part
    if not is_stored(folder):
        raise InputError("no such folder", file=folder, remedy=f"{option} or --data-root names it")
    return folder


def _split(options: Options) -> Path:
    if options.split is None and options.data_root is None:
        raise InputError("nothing says which sequences to measure", remedy="give --split FILE")
    return options.split or Path(str(options.data_root)) / "test.txt"


def _recordings(options: Options) -> Recordings:
    """Vocals in their folder, and the music in ``bgm_seqs`` beside it."""
    root, vocals = options.data_root, options.audio
    if vocals is not None and not is_stored(vocals):
        raise InputError("no such folder", file=vocals, remedy="--audio is the folder of ID.wav")
    if vocals is None and root is not None:
        vocals = root / "audio_seqs"
    music = root / "bgm_seqs" if root else vocals.parent / "bgm_seqs" if vocals else None
    return Recordings(vocals, music, options.beat_audio)


def _settings(options: Options) -> dict[str, Any]:
    """How the command was called, for the record."""
    return {
        name: value if isinstance(value, bool | int | float | str | None) else str(value)
        for name, value in (asdict(options) | {"pred": " ".join(options.pred)}).items()
    }


def _record(options: Options, results: Sequence[MethodResult], n_failed: int) -> dict[str, Any]:
    return {
        "out": str(options.out),
        "protocol": options.protocol,
        "n_failed": n_failed,
        "n_samples": results[0].n_samples,
        "methods": {result.method: str(options.out / f"{result.method}.json") for result in results},
    }


def main() -> int:
    """Run the command."""
    return command.run(Options, measure, _PROGRAM)


if __name__ == "__main__":
    raise SystemExit(main())
