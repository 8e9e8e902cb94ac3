"""A clip as one glTF binary: head, materials and the whole animation.

Displacements are morph targets with weights sampled a frame, joints a skin with translation and rotation sampled a frame,
all interpolated linearly. Displacements are 16-bit (extension KHR_mesh_quantization): the mesh's unit is the largest of
them, a few centimetres, and the inverse bind matrices turn it into metres. Vertices that parts share, or that lie on a seam
of the texture, are doubled; the attribute ``_VERTEX`` names the model's vertex of each. glTF knows no sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats, HeadArrays, Indices
from singinghead.render.asset.animation import Animation
from singinghead.render.asset.basis import in_16_bits
from singinghead.render.asset.glb import Glb
from singinghead.render.asset.influences import four_influences
from singinghead.render.asset.joints import JointMotion
from singinghead.render.asset.morph_normals import fitted_normals
from singinghead.render.asset.seams import corner_uvs
from singinghead.render.scene import Material, Part, Scene

EXTENSION = "KHR_mesh_quantization"


def write_glb(
    path: Path, animation: Animation, scene: Scene, arrays: HeadArrays, fps: float, name: str, facts: Mapping[str, Any]
) -> None:
    """Write the file.

    Args:
        path: ``.glb``.
        animation: the motion.
        scene: the parts that have been made of ``arrays``, and their colours.
        arrays: the model, for its texture coordinates.
        fps: frames a second.
        name: of the clip.
        facts: put into ``asset.extras``.

    Raises:
        InputError: it cannot be written there.
    """
    glb = Glb()
    steps, reach = in_16_bits(animation.basis.displacements)
    mesh = _mesh(glb, animation, scene, arrays, steps, reach)
    joint_nodes, skin = _skeleton(glb, animation.joints, reach)
    n_joints = len(joint_nodes)
    nodes = [*joint_nodes, {"name": "skeleton", "children": [0]}, {"name": "head", "mesh": 0, "skin": 0}]
    glb.content |= {
        "asset": {"version": "2.0", "generator": facts["made_by"], "extras": dict(facts)},
        "extensionsUsed": [EXTENSION],
        "extensionsRequired": [EXTENSION],
        "scene": 0,
        "scenes": [{"name": name, "nodes": [n_joints, n_joints + 1]}],
        "nodes": nodes,
        "meshes": [mesh],
        "skins": [skin],
        "materials": [_material(part, scene.vertex_colors) for part in scene.parts],
        "animations": [_tracks(glb, animation, fps, name, head=n_joints + 1)],
    }
    glb.save(path)


@dataclass(frozen=True)
class _Corners:
    """The vertices of one part, as glTF wants them: all attributes at one index.

    Attributes:
        vertices: (n,) the model's index of each.
        uvs: (n,) the index of each one's texture coordinate, or None.
        faces: (F, 3) indices of these.
    """

    vertices: Indices
    uvs: Indices | None
    faces: Indices


def _corners(part: Part, uv_faces: Indices | None) -> _Corners:
    pairs = np.stack([part.faces.ravel(), (part.faces if uv_faces is None else uv_faces).ravel()], axis=1)
    unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
    return _Corners(unique[:, 0], None if uv_faces is None else unique[:, 1], inverse.reshape(-1, 3))


def _mesh(
    glb: Glb, animation: Animation, scene: Scene, arrays: HeadArrays, steps: NDArray[np.int16], reach: float
) -> dict[str, Any]:
    basis = animation.basis
    normals, turns = fitted_normals(animation, np.concatenate([part.faces for part in scene.parts]))
    joints, weights = four_influences(animation)
    seams = corner_uvs(arrays)
    primitives = []
    for i, part in enumerate(scene.parts):
        corners = _corners(part, None if seams is None else seams[i])
        of = corners.vertices
        attributes = {
            "POSITION": glb.vertices((basis.rest[of] / reach).astype(np.float32), bounds=True),
            "NORMAL": glb.vertices(normals[of].astype(np.float32)),
            "COLOR_0": glb.vertices(_shades(scene.vertex_colors[of]), normalized=True),
            "JOINTS_0": glb.vertices(joints[of]),
            "WEIGHTS_0": glb.vertices(weights[of]),
            "_VERTEX": glb.vertices(of.astype(np.float32)),
        }
        if corners.uvs is not None and arrays.uvs is not None:
            upright = arrays.uvs[corners.uvs] * [1, -1] + [0, 1]  # glTF counts v from the top
            attributes["TEXCOORD_0"] = glb.vertices(upright.astype(np.float32))
        primitive = {"attributes": attributes, "indices": glb.triangles(corners.faces), "material": i}
        if len(steps):
            primitive["targets"] = _targets(glb, steps[:, of], turns[:, of])
        primitives.append(primitive)
    mesh: dict[str, Any] = {"name": arrays.name, "primitives": primitives}
    if len(steps):
        mesh |= {"weights": basis.weights[0].tolist(), "extras": {"targetNames": list(basis.names)}}
    return mesh


def _targets(glb: Glb, steps: NDArray[np.int16], turns: NDArray[np.int8]) -> list[dict[str, int]]:
    n_vertices = steps.shape[1]
    moved, turned = (np.flatnonzero(values.any(axis=(0, 2))) for values in (steps, turns))
    moved_view, turned_view = (glb.places(at) if at.size else -1 for at in (moved, turned))
    return [
        {
            "POSITION": glb.displacements(step[moved], moved_view, moved, n_vertices, bounds=True),
            "NORMAL": glb.displacements(turn[turned], turned_view, turned, n_vertices),
        }
        for step, turn in zip(steps, turns, strict=True)
    ]


def _shades(colors: Floats) -> NDArray[np.uint16]:
    """Linear factors of the part's colour as 16-bit parts of the part's brightest."""
    return np.rint(colors / _brightest(colors) * 65535).astype(np.uint16)


def _brightest(colors: Floats) -> Floats:
    return np.asarray(np.maximum(colors.max(axis=0), 1))


def _material(part: Part, colors: Floats) -> dict[str, Any]:
    material: Material = part.material
    color = np.minimum(material.color * _brightest(colors[np.unique(part.faces)]), 1)
    return {
        "name": part.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": [*color.tolist(), 1],
            "metallicFactor": 0,
            "roughnessFactor": material.roughness,
        },
        "doubleSided": material.double_sided,
    }


def _skeleton(glb: Glb, joints: JointMotion, unit: float) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The joints as nodes, at rest, and the skin, which scales the mesh's unit to metres.

    The skin names no ``skeleton``, which is optional: with one Blender takes the scale for a place of the root, 80 m away,
    and loses 0.2 mm to single precision.
    """
    nodes: list[dict[str, Any]] = []
    for i, name in enumerate(joints.names):
        parent = joints.parents[i]
        bone = joints.bind[i] - (joints.bind[parent] if parent >= 0 else 0)
        node: dict[str, Any] = {"name": name, "translation": bone.tolist()}
        children = [child for child, parent in enumerate(joints.parents) if parent == i]
        nodes.append(node | ({"children": children} if children else {}))
    matrices = np.tile(np.diag([unit, unit, unit, 1]), (len(nodes), 1, 1))
    matrices[:, :3, 3] = -joints.bind
    by_column = np.swapaxes(matrices, 1, 2)
    skin = {"joints": list(range(len(nodes))), "inverseBindMatrices": glb.samples(by_column)}
    return nodes, skin


def _tracks(glb: Glb, animation: Animation, fps: float, name: str, head: int) -> dict[str, Any]:
    times = glb.samples(np.arange(len(animation)) / fps, bounds=True)
    tracks: list[tuple[int, str, int]] = []
    for joint in range(len(animation.joints.names)):
        tracks.append((joint, "translation", glb.samples(animation.joints.translations[:, joint])))
        tracks.append((joint, "rotation", glb.samples(animation.joints.rotations[:, joint])))
    if animation.basis.names:
        tracks.append((head, "weights", glb.samples(animation.basis.weights.ravel())))
    return {
        "name": name,
        "samplers": [{"input": times, "output": output, "interpolation": "LINEAR"} for _, _, output in tracks],
        "channels": [{"sampler": i, "target": {"node": node, "path": path}} for i, (node, path, _) in enumerate(tracks)],
    }
