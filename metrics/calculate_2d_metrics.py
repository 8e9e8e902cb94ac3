"""Measure generated videos against the recordings: the 2D benchmark's command."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from singinghead.flame_model.errors import InputError

_PROGRAM = "calculate_2d_metrics"
_SMALLEST = 64


@dataclass(frozen=True)
class Options:
    """Measure the videos of EVAL_FOLDER/generated against the recordings in generated/gt_videos.

    Writes EVAL_FOLDER/metric_results: NAME.json for each method and the ground truth, summary.md, .csv and .tex,
    per_sequence.csv, report.html. docs/metrics_2d.md defines every metric. What was measured before is not measured again.
    Exit code 0: all measured; 1: some videos failed, and are listed; 2: wrong use.
    """

    eval_folder: Annotated[Path, tyro.conf.Positional]
    """It holds input_audio/ID.wav, generated/gt_videos/ID.mp4 and generated/METHOD/ID.mp4."""
    size: int = 256
    """Width and height that frames are resized to, with antialiasing, pixels."""
    every: int | None = None
    """Compare every n-th frame of 30 a second; beats take them all. Default: 1; 6 in the seed protocol."""
    landmarks: Literal["dlib", "fan"] | None = None
    """The landmark detector, whose name the metrics bear. Default: dlib; fan in the seed protocol, which needs it."""
    identity: Literal["dlib", "arcface"] = "dlib"
    """The face recognizer of CSIM."""
    weights: Path | None = None
    """The folder of networks' weights that is searched first; then $SINGINGHEAD_WEIGHTS and torch's own cache."""
    require: str = ""
    """Metrics that must not be null, separated by commas: FID,LPIPS."""
    workers: int | None = None
    """Processes. Default: one a core; 0 works in this one."""
    protocol: Literal["corrected", "seed"] = "corrected"
    """Ours, or the SingingHead benchmark's own formulas, for its published tables."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object."""


def measure(options: Options) -> int:
    """Do what the options say; 1 if some videos failed, or a required metric is null."""
    from singinghead.metrics.eval_folder import EvalFolder

    _check(options)
    folder = EvalFolder.open(options.eval_folder)

    # Late: they take seconds to import, and nobody waits for them to hear of a mistyped name.
    from tqdm import tqdm

    from singinghead.metrics.clip_workers import n_cores
    from singinghead.metrics.evaluate_2d import evaluate, settings_of
    from singinghead.metrics.instruments import Measuring2D
    from singinghead.metrics.report import write_all
    from singinghead.metrics.required_metrics import check_required, missing_required
    from singinghead.metrics.summary_tables import markdown

    is_seed = options.protocol == "seed"
    measuring = Measuring2D(
        protocol=options.protocol,
        size=options.size,
        every=options.every or (6 if is_seed else 1),
        landmarks=options.landmarks or ("fan" if is_seed else "dlib"),
        identity=options.identity,
        weights=options.weights,
    )
    required = [name.strip() for name in options.require.split(",") if name.strip()]
    check_required(required, measuring)

    def counted(clips: Iterable[Any], n_clips: int) -> Iterable[Any]:
        return tqdm(clips, desc="2D metrics", unit="clip", total=n_clips, disable=None)

    n_workers = n_cores() if options.workers is None else options.workers
    results = evaluate(folder, measuring, n_workers, settings_of(options), counted)
    methods = [result for result in results if result.is_method]
    for result in methods:
        for clip_id, reason in result.failures.items():
            print(f"warning: {result.method}, {clip_id}: {reason}", file=sys.stderr)
    if not any(result.sequences for result in methods):
        print(f"{_PROGRAM}: no video of any method could be measured", file=sys.stderr)
        return 1
    summary = write_all(results, folder.results)
    print(markdown(summary))
    n_failed = sum(len(result.failures) for result in methods)
    print(f"{folder.results}: {len(folder.truth.by_id)} clips, {len(methods)} methods, {n_failed} videos failed")
    missing = missing_required(required, results)
    for line in missing:
        print(f"{_PROGRAM}: required, but null: {line}", file=sys.stderr)
    if options.json:
        command.print_json(_record(options, folder.results, methods, n_failed))
    return 1 if n_failed or missing else 0


def _check(options: Options) -> None:
    if options.size < _SMALLEST or (options.every is not None and options.every < 1):
        raise InputError(f"--size must be {_SMALLEST} or more, --every 1 or more")
    if options.workers is not None and options.workers < 0:
        raise InputError("--workers must be 0 or more")
    if options.weights is not None and not options.weights.is_dir():
        raise InputError("no such folder", file=options.weights, remedy="--weights is the folder of networks' weights")
    if options.protocol == "seed" and options.landmarks == "dlib":
        raise InputError("the seed protocol's landmarks are FAN's", remedy="leave out --landmarks dlib")


def _record(options: Options, out: Path, methods: Sequence[Any], n_failed: int) -> dict[str, Any]:
    return {
        "out": str(out),
        "protocol": options.protocol,
        "n_failed": n_failed,
        "methods": {result.method: str(out / f"{result.method}.json") for result in methods},
    }


def main() -> int:
    """Run the command."""
    return command.run(Options, measure, _PROGRAM)


if __name__ == "__main__":
    raise SystemExit(main())
