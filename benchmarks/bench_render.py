"""Measure how fast a clip is rendered, by us and by the loop shapes of others: what `make bench` runs."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import datetime as dt
import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Annotated, Any, Literal

import machine
import measured
import report
import tyro
from clip_job import PEERS, Job
from tqdm import tqdm

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.model import FlameModel, choose_device
from singinghead.render.rasterizer import choose_backend
from singinghead.render.video import check_output
from singinghead.tools import render_seq
from singinghead.tools.demo.dataset import write_dataset

_QUICK: dict[str, Any] = {
    "sizes": (64,), "presets": ("ultrafast",), "peer_preset": "ultrafast", "runs": 1,
    "frames": 4, "gl_frames": 2, "stage_frames": 2,
}  # fmt: skip

Case = Literal["N1", "N2", "N3", "pyrender", "software"]


@dataclass(frozen=True)
class Options:
    """Render one clip with sound in every way, end to end, in one go; print and write what it took.

    Cases: software and pyrender are ours. N1 (SingingHead's users): FLAME and scene anew each frame, PNG files, moviepy.
    N2 (VOCA, CodeTalker): a GL context a frame, MPEG-4, two more ffmpeg passes. N3 (DiffPoseTalk, with a pipe): one
    renderer, the mesh swapped. Each run is a process of its own, and a round goes through all cases, so that a drift of the
    machine meets them all. The clock runs from parameters in memory to the file closed; importing is not in it.
    """

    seq: str | None = None
    """The sequence, as in render_seq: a file, or with --data-root an ID. Default: the demo's first song, 8 s."""
    data_root: Path | None = None
    """A dataset in the release's layout: flame_seqs, audio_seqs, bgm_seqs."""
    frames: int = 960
    """How many frames the software backend draws; the motion is repeated as needed (its sound is not). 0: the clip's own."""
    gl_frames: int = 120
    """The same for the cases that need GL, which are so much slower. 0: as many as software."""
    sizes: tuple[int, ...] = (512, 1024)
    """Widths and heights, even numbers of pixels."""
    presets: tuple[str, ...] = ("medium", "veryfast", "ultrafast")
    """x264's speeds, for us."""
    peer_preset: str = "veryfast"
    """x264's speed for N1, N2 and N3; our row of the same preset is compared with them."""
    cases: tuple[Case, ...] = ("N1", "N2", "N3", "pyrender", "software")
    """What to measure."""
    runs: int = 3
    """Timed runs of each, after one that is watched for memory, whose video is judged, and that fills all caches."""
    stage_frames: int = 120
    """Frames of the stage profile, all held in memory at once. 0: no profile."""
    device: str = "cpu"
    """Where FLAME is computed: auto, cpu, cuda."""
    out: Path = Path("benchmarks/results.json")
    """The JSON to write."""
    keep: Path | None = None
    """A folder in which to leave the videos."""
    quick: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """64 pixels, 4 frames, one run: does everything work? The figures mean nothing."""


@dataclass
class Cell:
    """One case at one size and preset, and what became of it; ``failed`` says why it was not measured."""

    job: Job
    runs: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    failed: str = ""

    def record(self) -> dict[str, Any]:
        """For JSON."""
        names = {"case": self.job.case, "size": self.job.size, "preset": self.job.preset}
        return names | ({"not_measured": self.failed} if self.failed else self.facts | {"runs": self.runs})


def bench(options: Options) -> int:
    """Run everything; 1 if a case failed, not counting those whose GL is not there."""
    options = _checked(options)
    gl, environment, why_not = find_gl() if set(options.cases) != {"software"} else ("not asked for", {}, "")
    arrays = FlameModel.load().arrays
    head = f"{arrays.name}, {len(arrays.template)} vertices, {len(arrays.faces)} faces"
    started = dt.datetime.now(dt.UTC)
    result: dict[str, Any] = {"schema": 1, "started": started.isoformat(timespec="seconds")}
    result |= {"machine": machine.describe(gl, head), "settings": json.loads(json.dumps(asdict(options), default=str))}
    with tempfile.TemporaryDirectory(prefix="singinghead-bench-") as folder:
        videos = options.keep or Path(folder)
        videos.mkdir(parents=True, exist_ok=True)
        jobs = list(_jobs(options, _clip(options, Path(folder)), videos))
        cells = [Cell(job, failed=why_not if job.case != "software" else "") for job in jobs]
        absent = sum(bool(cell.failed) for cell in cells)
        with tqdm(total=(len(cells) - absent) * (options.runs + 1), unit="run", disable=None) as bar:
            for round_ in range(options.runs + 1):
                for cell in cells:
                    if not cell.failed:
                        _measure(cell, environment, first=round_ == 0)
                        bar.update()
        result["cases"] = [cell.record() for cell in cells]
        ours = [cell for cell in cells if cell.job.case not in PEERS] if options.stage_frames else []
        result["stages"] = [_profile(cell, options.stage_frames, environment) for cell in ours]
    summarize(result["cases"])
    options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(report.text(result))
    print(f"\neverything: {options.out}")
    missing = [row["not_measured"] for row in (*result["cases"], *result["stages"]) if "not_measured" in row]
    return int(any(reason != why_not for reason in missing))


def _checked(options: Options) -> Options:
    """The options with ``quick`` and ``device`` resolved; mistakes are found before anything runs."""
    if options.quick:
        options = replace(options, **_QUICK)
    if options.runs < 1 or min(options.frames, options.gl_frames, options.stage_frames) < 0:
        raise InputError("at least one run is needed, and no negative number of frames")
    if not options.out.parent.is_dir():
        raise InputError("its folder does not exist", file=options.out)
    for size in options.sizes:
        for preset in (*options.presets, options.peer_preset):
            check_output(Path("clip.mp4"), size, 30, 18, preset)
    return replace(options, device=choose_device(options.device))


def find_gl() -> tuple[str, dict[str, str], str]:
    """The GL device; what binds a process to it; and, where there is none, why."""
    try:
        choice = choose_backend("pyrender")
    except UnavailableError as error:
        return str(error), {}, str(error)
    return choice.why, {"PYOPENGL_PLATFORM": choice.platform}, ""


def _clip(options: Options, folder: Path) -> tuple[Path, Path | None, Path | None]:
    """Sequence, vocals and BGM: what was asked for, or the demo's first song."""
    if options.seq is None:
        if options.data_root is not None:
            raise InputError("--data-root needs --seq")
        options = replace(options, seq=write_dataset(folder)[0], data_root=folder)
    wanted = render_seq.Options(seq=str(options.seq), data_root=options.data_root)
    sequence, dataset = render_seq.find_sequence(wanted)
    vocals, bgm = render_seq.find_sound(wanted, dataset, sequence.stem)
    if any(file and file.member for file in (sequence, vocals, bgm)):
        raise InputError("its clips lie in zips", file=options.data_root, remedy="the peers' loops need them unpacked")
    return sequence.path, vocals.path if vocals else None, bgm.path if bgm else None


def _jobs(options: Options, clip: tuple[Path, Path | None, Path | None], videos: Path) -> Iterator[Job]:
    seq, vocals, bgm = (str(path.absolute()) if path else "" for path in clip)
    for size in options.sizes:
        for case in options.cases:
            frames = options.frames if case == "software" else options.gl_frames or options.frames
            for preset in (options.peer_preset,) if case in PEERS else options.presets:
                out = str((videos / f"{case}_{size}_{preset}.mp4").absolute())
                yield Job(case, seq, vocals, bgm, frames, size, preset, options.device, out)


def _measure(cell: Cell, environment: dict[str, str], first: bool) -> None:
    run = measured.run("render", cell.job, environment, watch_memory=first)
    if first and "failed" not in run:
        cell.facts = {"frames": run["frames"], "bytes": run["bytes"], "peak_mb": run["peak_mb"]}
        run = measured.run("quality", cell.job, environment)
        cell.facts["ssim"] = run.get("ssim")
    elif "failed" not in run:
        cell.runs.append({name: run[name] for name in ("fps", "seconds", "process_seconds")})
    cell.failed = run.get("failed", "")


def _profile(cell: Cell, most_frames: int, environment: dict[str, str]) -> dict[str, Any]:
    job = replace(cell.job, frames=min(cell.job.frames or most_frames, most_frames))
    run = {"failed": cell.failed} if cell.failed else measured.run("stages", job, environment)
    facts = {"not_measured": run["failed"]} if "failed" in run else run
    return {"case": job.case, "size": job.size, "preset": job.preset} | facts


def summarize(cases: list[dict[str, Any]]) -> None:
    """Add to each case the median and range of its speed, and its ratio to each peer of its size and preset, by rounds."""
    timed = [row for row in cases if "runs" in row]
    peers = [row for row in timed if row["case"] in PEERS]
    for row in timed:
        speeds = [run["fps"] for run in row["runs"]]
        row["fps"] = {"median": median(speeds), "min": min(speeds), "max": max(speeds)}
        row["ratio_to"] = {
            peer["case"]: median(speed / run["fps"] for speed, run in zip(speeds, peer["runs"], strict=True))
            for peer in peers
            if (peer["size"], peer["preset"]) == (row["size"], row["preset"])
        }


def main() -> int:
    """Run the command."""
    return command.run(Options, bench, "bench_render")


if __name__ == "__main__":
    raise SystemExit(main())
