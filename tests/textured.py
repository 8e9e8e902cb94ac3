"""A textured head and a textured ball, for the tests of both rasterizers."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
from grids import grid
from written_flame import flame_content

from singinghead.flame_model.model import FlameModel, Subject
from singinghead.render.texture import Texture


def detailed(height: int = 512, width: int = 512) -> Texture:
    """A checker board under gradients and noise."""
    y, x = np.mgrid[:height, :width] / [[[height]], [[width]]]
    colors = np.stack([60 + 190 * x, 250 - 190 * y, 128 + 100 * np.sin(9 * (x + y))], axis=-1)
    colors *= np.where((np.floor(32 * x) + np.floor(32 * y)) % 2, 1.0, 0.5)[..., None]
    noise = np.random.default_rng(0).normal(0, 10, colors.shape)
    return Texture(np.clip(colors + noise, 0, 255).astype(np.uint8))


def ball(across: int = 25, radius: float = 0.1) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A globe and its map: vertices (V, 3), faces (F, 3), and uvs (U, 2) and uv_faces (F, 3) with a seam in view."""
    points, uv_faces = grid(across)
    uvs = points / (across - 1)
    longitude, latitude = 2 * np.pi * uvs[:, 0] + 0.7, np.pi * (uvs[:, 1] - 0.5)
    x, z = np.sin(longitude) * np.cos(latitude), np.cos(longitude) * np.cos(latitude)
    globe = radius * np.stack([x, np.sin(latitude), z], axis=1)
    # Where the map's left and right side meet, and at the poles, places of the map are one vertex.
    vertices, index = np.unique(globe.round(9), axis=0, return_inverse=True)
    faces = index.reshape(-1)[uv_faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return vertices, faces[whole], uvs, uv_faces[whole]


def flame_ball(folder: Path) -> Subject:
    """The ball as a FLAME model's files, texture coordinates beside it, loaded from there; a jaw turns its lower half."""
    vertices, faces, uvs, uv_faces = ball(41)
    content = flame_content(len(vertices))
    jaw = np.clip(-vertices[:, 1] / 0.1, 0, 1)
    weights = np.zeros((len(vertices), 5))
    weights[:, 0], weights[:, 2] = 1 - jaw, jaw
    content |= {"v_template": vertices, "f": faces.astype(np.uint32), "weights": weights}
    content |= {"shapedirs": 0 * content["shapedirs"], "posedirs": 0 * content["posedirs"]}
    (folder / "generic_model.pkl").write_bytes(pickle.dumps(content))
    np.savez(folder / "FLAME_texture.npz", vt=uvs, ft=uv_faces.astype(np.uint32), mean=np.zeros((4, 4, 3)))
    return FlameModel.load(folder).with_shape()
