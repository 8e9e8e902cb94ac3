"""Readers of MakeHuman's text files: the base mesh, morph targets, the rig and its skinning weights.

Everything stays in MakeHuman's own units and axes: decimetres, y up, z forward, x to the subject's left, 0-based
vertices of the whole ``hm08`` base mesh. File formats:
http://www.makehumancommunity.org/wiki/Documentation:Basemesh
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.errors import InputError

METRES = 0.1
"""MakeHuman counts in decimetres."""


@dataclass(frozen=True)
class BaseMesh:
    """A quad mesh in named groups.

    Attributes:
        vertices: (N, 3) decimetres.
        uvs: (M, 2) texture coordinates; v is up.
        quads: (Q, 4) vertex indices, counter-clockwise from outside.
        uv_quads: (Q, 4) indices of ``uvs``, corner by corner.
        groups: (Q_i,) indices of quads by group name (``body``, ``helper-l-eye``, ``joint-neck``, ...).
    """

    vertices: Floats
    uvs: Floats
    quads: Indices
    uv_quads: Indices
    groups: Mapping[str, Indices]

    def group_vertices(self, *names: str) -> Indices:
        """Sorted unique vertices of the named groups."""
        return np.unique(self.quads[np.concatenate([self.groups[name] for name in names])])


@dataclass(frozen=True)
class Target:
    """A sparse morph.

    Attributes:
        vertices: (K,) indices of the vertices that move.
        offsets: (K, 3) their displacement at activation 1, decimetres.
    """

    vertices: Indices
    offsets: Floats

    def dense(self, n_vertices: int) -> Floats:
        """(n_vertices, 3) displacements of every vertex."""
        displacements = np.zeros((n_vertices, 3))
        displacements[self.vertices] = self.offsets
        return displacements


def read_base_mesh(path: Path) -> BaseMesh:
    """Read an OBJ of quads with texture coordinates and groups.

    Raises:
        InputError: if it is not such a file.
    """
    numbers: dict[str, list[list[str]]] = {"v": [], "vt": []}
    corners: list[str] = []
    groups: dict[str, list[int]] = {}
    members: list[int] = []
    for line in _read_text(path).splitlines():
        kind, *fields = line.split() or [""]
        if kind in numbers:
            numbers[kind].append(fields)
        elif kind == "g":
            members = groups.setdefault(fields[0], [])
        elif kind == "f":
            members.append(len(corners) // 4)
            corners += fields
    try:
        indices = np.array([corner.split("/")[:2] for corner in corners], np.int64).reshape(-1, 4, 2) - 1
        return BaseMesh(
            vertices=np.array(numbers["v"], np.float64).reshape(-1, 3),
            uvs=np.array(numbers["vt"], np.float64).reshape(-1, 2),
            quads=indices[..., 0],
            uv_quads=indices[..., 1],
            groups={name: np.array(quads, np.int64) for name, quads in groups.items()},
        )
    except ValueError as error:
        raise InputError("is not an OBJ of quads with texture coordinates", file=path) from error


def read_target(path: Path) -> Target:
    """Read a ``.target`` or ``.target.gz``: lines of ``vertex dx dy dz``, and ``#`` comments.

    Raises:
        InputError: if it is not such a file.
    """
    lines = [line for line in _read_text(path).splitlines() if line and not line.startswith("#")]
    try:
        rows = np.array(" ".join(lines).split(), np.float64).reshape(-1, 4)
    except ValueError as error:
        raise InputError("is not a MakeHuman target (lines of: vertex dx dy dz)", file=path) from error
    return Target(rows[:, 0].astype(np.int64), rows[:, 1:])


def read_bone_parents(path: Path) -> dict[str, str]:
    """Each bone's parent from a rig file; a root's parent is the empty string."""
    bones = _read_json(path)
    return {name: str(bone.get("parent") or "") for name, bone in bones.items()}


def read_bone_weights(path: Path) -> dict[str, tuple[Indices, Floats]]:
    """Each bone's vertices (K,) and skinning weights (K,); they need not sum to 1 at a vertex."""
    weights = _read_json(path)["weights"]
    return {
        bone: (np.array([v for v, _ in pairs], np.int64), np.array([w for _, w in pairs], np.float64))
        for bone, pairs in weights.items()
    }


def _read_text(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    loaded = json.loads(_read_text(path))
    if not isinstance(loaded, dict):
        raise InputError("is not a JSON object", file=path)
    return loaded
