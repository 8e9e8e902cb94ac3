"""Frames as plain meshes, in the model's own order of vertices: OBJ and PLY a frame, NPZ a clip."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import HeadArrays
from singinghead.flame_model.params import Frames
from singinghead.flame_model.whole_file import written_whole
from singinghead.render.asset.seams import corner_uvs
from singinghead.render.scene import Scene
from singinghead.render.texture import GAMMA

MeshFormat = Literal["obj", "ply"]
MeshWriter = Callable[[Path, Frames], None]


def mesh_writer(kind: MeshFormat, scene: Scene, arrays: HeadArrays) -> MeshWriter:
    """What writes one frame's (V, 3) vertices, metres, into a file.

    OBJ holds the parts as groups and the texture coordinates, PLY (binary) a colour a vertex.

    Args:
        kind: of file.
        scene: the parts that have been made of ``arrays``, and their colours.
        arrays: the model.
    """
    return _obj_writer(scene, arrays) if kind == "obj" else _ply_writer(scene)


def write_mesh(path: Path, write: MeshWriter, vertices: Frames) -> None:
    """Write one frame's (V, 3) vertices, whole or not at all.

    Raises:
        InputError: it cannot be written there.
    """
    with written_whole(path) as partial:
        write(partial, vertices)


def write_meshes(folder: Path, kind: MeshFormat, write: MeshWriter, chunks: Iterable[Frames]) -> int:
    """Write a clip into a new folder, ``000000.obj`` and so on; returns how many files.

    Raises:
        InputError: the folder has files in it already, or cannot be written.
    """
    with written_whole(folder) as partial:
        partial.mkdir()
        frames = (vertices for chunk in chunks for vertices in chunk)
        number = -1
        for number, vertices in enumerate(frames):
            write(partial / f"{number:06}.{kind}", vertices)
    return number + 1


def write_vertices(path: Path, faces: NDArray[np.integer], fps: float, n_frames: int, chunks: Iterable[Frames]) -> None:
    """Write ``vertices`` (T, V, 3) float32 metres, ``faces`` (F, 3) and ``fps`` as one ``.npz``, streaming.

    Raises:
        InputError: it cannot be written there.
    """
    with written_whole(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, array in (("faces", np.asarray(faces, np.int32)), ("fps", np.float64(fps))):
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
        with archive.open("vertices.npy", "w", force_zip64=True) as member:
            for i, chunk in enumerate(chunks):
                if i == 0:
                    header = {"descr": "<f4", "fortran_order": False, "shape": (n_frames, *chunk.shape[1:])}
                    np.lib.format.write_array_header_1_0(member, header)
                member.write(np.ascontiguousarray(chunk, "<f4").tobytes())


def _obj_writer(scene: Scene, arrays: HeadArrays) -> MeshWriter:
    lines = [f"vt {u:.6f} {v:.6f}" for u, v in (arrays.uvs if arrays.uvs is not None else ())]
    seams = corner_uvs(arrays)
    for i, part in enumerate(scene.parts):
        lines.append(f"g {part.name}")
        faces = (part.faces + 1).tolist()
        if seams is None:
            lines += [f"f {a} {b} {c}" for a, b, c in faces]
        else:
            corners = (seams[i] + 1).tolist()
            lines += [f"f {a}/{s} {b}/{t} {c}/{u}" for (a, b, c), (s, t, u) in zip(faces, corners, strict=True)]
    rest = "\n".join([*lines, ""])

    def write(path: Path, vertices: Frames) -> None:
        places = "".join("v {:.7f} {:.7f} {:.7f}\n".format(*vertex) for vertex in vertices.tolist())
        path.write_text(places + rest, encoding="ascii")

    return write


def _ply_writer(scene: Scene) -> MeshWriter:
    faces = np.concatenate([part.faces for part in scene.parts])
    vertex = [*((axis, "<f4") for axis in "xyz"), *((color, "u1") for color in ("red", "green", "blue"))]
    vertices = np.zeros(len(scene.vertex_colors), vertex)
    for part in scene.parts:
        of = np.unique(part.faces)
        seen = (part.material.color * scene.vertex_colors[of]).clip(0, 1) ** (1 / GAMMA)
        for axis, color in enumerate(("red", "green", "blue")):
            vertices[color][of] = np.rint(255 * seen[:, axis])
    corners = np.zeros(len(faces), [("n", "u1"), ("corners", "<i4", 3)])
    corners["n"], corners["corners"] = 3, faces
    kinds: dict[str, str] = {"<f4": "float", "u1": "uchar"}
    header = "\n".join(
        [
            "ply",
            "format binary_little_endian 1.0",
            f"element vertex {len(vertices)}",
            *(f"property {kinds[kind]} {name}" for name, kind in vertex),
            f"element face {len(faces)}",
            "property list uchar int vertex_indices",
            "end_header",
            "",
        ]
    ).encode()

    def write(path: Path, places: Frames) -> None:
        filled: NDArray[Any] = vertices.copy()
        for axis, name in enumerate("xyz"):
            filled[name] = places[:, axis]
        path.write_bytes(header + filled.tobytes() + corners.tobytes())

    return write
