"""Export one sequence as a 3D asset: an animated glTF binary, meshes, or parameters."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

import importlib.metadata
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import psutil
import tyro

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.sequence import ParamSequence, load_sequence
from singinghead.tools import render_seq

if TYPE_CHECKING:
    from singinghead.render.clip import Prepared

Format = Literal["glb", "obj", "ply", "npz", "params"]

SUFFIXES: dict[Format, tuple[str, ...]] = {
    "glb": (".glb",),
    "obj": (".obj",),
    "ply": (".ply",),
    "npz": (".npz",),
    "params": (".pkl", ".npz"),
}
"""What a file of each format may be called; the first format with a file's suffix is its default."""

TOLERANCE_MM = 0.05
"""By how much a vertex of the glTF may miss ours before that is warned of."""

logger = logging.getLogger("singinghead.tools.export_glb")


@dataclass(frozen=True)
class Options:
    """Export one sequence as a 3D asset: an animated glTF binary, meshes, or parameters.

    The glTF holds the head, its materials and the whole animation, and no sound: the format has none.
    """

    seq: Annotated[str, tyro.conf.Positional]
    """The sequence: a .pkl, .npz or .npy file, or with --data-root an ID."""
    out: Path | None = None
    """What to write, overwritten if it exists. Default: ID.glb in the working directory. A sequence of obj or ply is a new
    folder of numbered files."""
    format: Format | None = None
    """glb; obj or ply, a mesh a frame; npz, vertices (T, V, 3) in metres and faces; params, expcodes, posecodes and
    shapecode as SingingHead releases them, in a .pkl or .npz. Default: by the suffix of --out (.pkl: params)."""
    frame: int | None = None
    """Only this frame, from 0."""
    data_root: Path | None = None
    """A dataset in the release's layout: flame_seqs, a folder or the release's zip."""
    flame: Path | None = None
    """A FLAME model file or its folder. Default: $SINGINGHEAD_FLAME, else the licence-free stand-in head."""
    fps: float = 30.0
    """The sequence's frames a second."""
    out_fps: float | None = None
    """The asset's frames a second; motion is resampled by time. Default: --fps."""
    pose: Literal["full", "zero", "gt"] = "full"
    """Head pose as given; zero; or the ground truth's, from --data-root."""
    sample: int = 0
    """Which of several samples, from 0."""
    json: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Make the last line of stdout one JSON object."""


def export(options: Options) -> None:
    """Do what the options say, and tell what was done."""
    kind = chosen_format(options)
    file, dataset = render_seq.find_sequence(render_seq.Options(seq=options.seq, data_root=options.data_root))
    sequence = load_sequence(file, options.sample)
    out = options.out or Path(f"{sequence.id}.glb")

    # Late: torch takes seconds to import, and nobody waits for it to hear of a mistyped name.
    from singinghead.flame_model.model import FlameModel
    from singinghead.render.clip import Look, load_truth, prepare
    from singinghead.render.video import check_rate

    out_fps = options.fps if options.out_fps is None else options.out_fps
    check_rate(options.fps)
    check_rate(out_fps)
    look = Look(fps=options.fps, out_fps=out_fps, pose=options.pose)
    prepared = prepare(FlameModel.load(options.flame), sequence, look, load_truth(dataset, sequence, look))
    if options.frame is not None:
        prepared = one_frame(prepared, options.frame)
    record: dict[str, Any] = {
        "id": sequence.id,
        "out": str(out),
        "format": kind,
        "frames": len(prepared.sequence),
        "fps": out_fps,
        "model": prepared.subject.arrays.name,
        "identity": prepared.identity,
        "pose": options.pose,
    }
    record |= write(prepared, kind, out, out_fps, record)
    size = sum(file.stat().st_size for file in (out.iterdir() if out.is_dir() else [out]))
    notes = [
        f"{record['frames']} frames",
        f"{size / 1e6:.2f} MB",
        f"model: {record['model']}",
        f"shape: {prepared.identity}",
    ]
    if kind == "glb":
        notes.append(f"{record['targets']} morph targets, vertices within {record['largest_error_mm']:.4f} mm")
    print(f"{out}: {' | '.join(notes)}")
    if options.json:
        wall_seconds = time.time() - psutil.Process().create_time()
        command.print_json(record | {"bytes": size, "wall_seconds": wall_seconds})


def chosen_format(options: Options) -> Format:
    """The format asked for, else the one that the output's name says.

    Raises:
        InputError: the name says none, or another.
    """
    suffix = options.out.suffix.lower() if options.out else ".glb"
    is_folder = options.format in ("obj", "ply") and options.frame is None
    if options.format is None:
        for kind, suffixes in SUFFIXES.items():
            if suffix in suffixes:
                return kind
        raise InputError("what is it to be?", file=options.out, remedy=f"--format {', '.join(SUFFIXES)}")
    if options.out is None and options.format != "glb":
        raise InputError(f"--format {options.format} needs --out")
    if suffix not in SUFFIXES[options.format] and not (is_folder and suffix == ""):
        wanted = " or ".join(SUFFIXES[options.format])
        raise InputError(f"a file of format {options.format} is named {wanted}", file=options.out)
    return options.format


def one_frame(prepared: Prepared, frame: int) -> Prepared:
    """The clip cut down to one of its frames."""
    sequence = prepared.sequence
    if not 0 <= frame < len(sequence):
        raise InputError(f"frame {frame} was asked for, but there are {len(sequence)}", remedy="they count from 0")
    only = slice(frame, frame + 1)
    if isinstance(sequence, ParamSequence):
        return replace(prepared, sequence=replace(sequence, params=sequence.params.map(lambda field: field[only])))
    return replace(prepared, sequence=replace(sequence, position=sequence.position[only]))


def write(prepared: Prepared, kind: Format, out: Path, fps: float, record: dict[str, Any]) -> dict[str, Any]:
    """Write the file or folder; returns what else there is to tell of it."""
    from singinghead.flame_model.release_file import write_release
    from singinghead.render.asset.animation import checked_motion
    from singinghead.render.asset.mesh_files import mesh_writer, write_mesh, write_meshes, write_vertices
    from singinghead.render.scene import head_scene
    from singinghead.render.styles import UNSHADED

    if kind == "glb":
        return write_animation(prepared, out, fps, record)
    sequence, arrays = prepared.sequence, prepared.subject.arrays
    scene = head_scene(prepared.subject, style=UNSHADED, anatomy=False)
    chunks = checked_motion(prepared.subject, sequence, scene)
    if kind == "params":
        if not isinstance(sequence, ParamSequence):
            raise InputError("holds vertices, not parameters", file=sequence.file, remedy="--format npz, obj or ply")
        write_release(out, sequence.params, prepared.shape)
    elif kind == "npz":
        write_vertices(out, arrays.faces, fps, len(sequence), chunks)
    elif not out.suffix:
        write_meshes(out, kind, mesh_writer(kind, scene, arrays), chunks)
    elif len(sequence) == 1:
        write_mesh(out, mesh_writer(kind, scene, arrays), next(chunks)[0])
    else:
        raise InputError(
            f"one file, and {len(sequence)} frames", file=out, remedy=f"--frame N, or a folder and --format {kind}"
        )
    return {}


def write_animation(prepared: Prepared, out: Path, fps: float, record: dict[str, Any]) -> dict[str, Any]:
    """Write the glTF binary; returns how many targets it has and by how much it is off."""
    from singinghead.render.asset.animation import animation_of, checked_motion, largest_error
    from singinghead.render.asset.gltf import write_glb
    from singinghead.render.scene import head_scene
    from singinghead.render.styles import UNSHADED

    subject, sequence = prepared.subject, prepared.sequence
    scene = head_scene(subject, style=UNSHADED, anatomy=False)
    for _ in checked_motion(subject, sequence, scene):
        pass
    animation = animation_of(subject, sequence)
    error_mm = 1000 * largest_error(animation, subject, sequence)
    if error_mm > TOLERANCE_MM:
        logger.warning("16 bits keep so large a motion only within %.2f mm: is it sane?", error_mm)
    facts = {name: record[name] for name in ("id", "model", "identity", "pose", "fps", "frames")}
    facts |= {"largest_error_mm": error_mm, "made_by": f"singinghead {importlib.metadata.version('singinghead')}"}
    write_glb(out, animation, scene, subject.arrays, fps, sequence.id, facts)
    return {"targets": len(animation.basis.names), "largest_error_mm": error_mm}


def main() -> int:
    """Run the command."""
    return command.run(Options, export, "export_glb")


if __name__ == "__main__":
    raise SystemExit(main())
