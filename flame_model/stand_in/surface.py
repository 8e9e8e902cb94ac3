"""The head's mesh: MakeHuman's skin, mouth cavity and tongue cut at the bust, with eyeballs and teeth of our own.

Every vertex is a fixed linear combination of the base mesh's vertices, so that whatever moves those moves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.stand_in.anatomy import Shell, dental_arch, eyeball
from singinghead.flame_model.stand_in.crop import Crop, crop
from singinghead.flame_model.stand_in.makehuman import BaseMesh
from singinghead.flame_model.stand_in.refine import edges_of, refine

EYES = {"left_eyeball": "helper-l-eye", "right_eyeball": "helper-r-eye"}
_ARCHES = {"upper_teeth": "helper-upper-teeth", "lower_teeth": "helper-lower-teeth"}
_TONGUE = "helper-tongue"

# The bust ends on a level plane this far below the neck joint, metres: above the armpits, so that the edge is one loop
# through chest and upper arms, and below what the default camera sees.
_BUST_DEPTH = 0.115
# Where the tip between the middle incisors lies, from the middle of the closed lips' line, and how large the arches are:
# behind the lips and inside the cheeks.
_INCISORS = {"upper_teeth": (-0.0012, -0.0135), "lower_teeth": (0.0002, -0.0165)}
_ARCH_SCALE = 0.86
# Edges longer than this are split, metres: under the brows and on the skull.
_BROW_EDGE, _LONG_EDGE = 0.0028, 0.0145


@dataclass(frozen=True)
class Surface:
    """A mesh whose vertices are combinations of base vertices.

    Attributes:
        weights: (V, N) what each base vertex counts for.
        faces: (F, 3) triangles.
        uvs: (U, 2) texture coordinates, v up: MakeHuman's atlas, with eyes and teeth in its places for them.
        uv_faces: (F, 3) indices of ``uvs``.
        parts: face indices by part.
        members: vertex indices of ``left_eyeball``, ``right_eyeball``, ``upper_teeth``, ``lower_teeth``, ``tongue``.
        colors: (V, 3) linear colours of eyes and teeth; 1 elsewhere.
        rows: (N,) the vertex at each base vertex, -1 where there is none.
    """

    weights: scipy.sparse.csr_array
    faces: Indices
    uvs: Floats
    uv_faces: Indices
    parts: Mapping[str, Indices]
    members: Mapping[str, Indices]
    colors: Floats
    rows: Indices

    def take(self, values: Floats) -> Floats:
        """(V, ...) values at the vertices from (N, ...) values at the base vertices."""
        return np.asarray(self.weights @ values.reshape(len(values), -1)).reshape(-1, *values.shape[1:])


def build_surface(base: BaseMesh, neutral: Floats, neck_y: float, lips_at: Floats, inside_mouth: Indices) -> Surface:
    """Assemble the mesh.

    Args:
        base: MakeHuman's mesh.
        neutral: (N, 3) where its vertices are on the neutral head, metres.
        neck_y: height of the neck joint.
        lips_at: (3,) the middle of the line where the lips meet.
        inside_mouth: base quads of the body that line the mouth.
    """
    chosen = np.concatenate([base.groups[name] for name in ("body", _TONGUE)])
    body = crop(base.quads, chosen, neutral[:, 1] - neck_y + _BUST_DEPTH)
    of_crop = body.weights(len(neutral))
    fine = refine(body.faces, len(body.ends), _coarse_edges(body.faces, of_crop @ neutral))
    corner_uvs = body.corner_uvs(base.uvs, base.quads, base.uv_quads)[fine.sources]

    n_vertices = fine.weights.shape[0]
    weights, faces = [fine.weights @ of_crop], [fine.faces]
    uvs, colors = [np.einsum("fck,fkx->fcx", fine.corners, corner_uvs)], [np.ones((n_vertices, 3))]
    kinds = [_kind_of_body(body, base, inside_mouth)[fine.sources]]
    members = {"tongue": np.unique(fine.faces[kinds[0] == "tongue"])}
    for name, shell, group, part in _shells(base, neutral, lips_at):
        anchors = base.group_vertices(group)
        weights.append(_following(shell.points, neutral[anchors], anchors, len(neutral)))
        faces.append(shell.faces + n_vertices)
        uvs.append(_placed_uvs(shell, base, group)[shell.faces])
        colors.append(shell.colors)
        kinds.append(np.full(len(shell.faces), part))
        members[name] = np.arange(n_vertices, n_vertices + len(shell.points))
        n_vertices += len(shell.points)
    kind = np.concatenate(kinds)
    unique_uvs, uv_faces = np.unique(np.concatenate(uvs).reshape(-1, 2), axis=0, return_inverse=True)
    return Surface(
        weights=scipy.sparse.vstack(weights).tocsr(),
        faces=np.concatenate(faces),
        uvs=unique_uvs,
        uv_faces=uv_faces.reshape(-1, 3),
        parts={part: np.flatnonzero(kind == part) for part in ("skin", "eyes", "teeth", "tongue", "mouth")},
        members=members,
        colors=np.concatenate(colors),
        rows=_rows(body, len(neutral)),
    )


def _coarse_edges(faces: Indices, template: Floats) -> Indices:
    """(S, 2) edges to split: under the brows, whose colours need it, and the long ones of the skull, whose outline does."""
    edges = edges_of(faces)
    start, end = template[edges].swapaxes(0, 1)
    x, y, z = ((start + end) / 2).T
    length = np.linalg.norm(end - start, axis=1)
    brows = (np.abs(np.abs(x) - 0.029) < 0.021) & (np.abs(y - 0.056) < 0.008) & (z > 0.02)
    return np.asarray(edges[brows & (length > _BROW_EDGE) | (y > 0.05) & (length > _LONG_EDGE)])


def _kind_of_body(body: Crop, base: BaseMesh, inside_mouth: Indices) -> Indices:
    kind = np.full(len(base.quads), "skin", dtype="<U6")
    kind[base.groups[_TONGUE]] = "tongue"
    kind[inside_mouth] = "mouth"
    return kind[body.quads]


def _shells(base: BaseMesh, neutral: Floats, lips_at: Floats) -> list[tuple[str, Shell, str, str]]:
    """Name, mesh in its place, group of the base mesh that it follows, and part of each."""
    shells = []
    for name, group in EYES.items():
        ball = neutral[base.group_vertices(group)]
        centre = ball.mean(axis=0)
        shells.append((name, _moved(eyeball(np.linalg.norm(ball - centre, axis=1).mean()), 1.0, centre), group, "eyes"))
    for name, group in _ARCHES.items():
        place = lips_at + np.array([0, *_INCISORS[name]])
        shells.append((name, _moved(dental_arch(name == "upper_teeth"), _ARCH_SCALE, place), group, "teeth"))
    return shells


def _moved(shell: Shell, scale: float, to: Floats) -> Shell:
    return Shell(scale * shell.points + to, shell.faces, shell.uvs, shell.colors)


def _following(points: Floats, anchors: Floats, indices: Indices, n_base: int) -> scipy.sparse.csr_array:
    """(n, N) weights with which points follow the affine motion of base vertices.

    Args:
        points: (n, 3) where they are when the anchors are at rest.
        anchors: (m, 3) at rest.
        indices: (m,) base vertices of the anchors.
        n_base: N.
    """
    centre = anchors.mean(axis=0)
    lifted = np.column_stack([np.ones(len(anchors)), anchors - centre])
    followed = np.column_stack([np.ones(len(points)), points - centre]) @ np.linalg.pinv(lifted.T).T
    columns = np.tile(indices, len(points))
    rows = np.repeat(np.arange(len(points)), len(indices))
    return scipy.sparse.coo_array((followed.ravel(), (rows, columns)), shape=(len(points), n_base)).tocsr()


def _placed_uvs(shell: Shell, base: BaseMesh, group: str) -> Floats:
    """The shell's texture coordinates, in the box that the group has in MakeHuman's atlas."""
    box = base.uvs[base.uv_quads[base.groups[group]]].reshape(-1, 2)
    return np.asarray(box.min(axis=0) + shell.uvs * np.ptp(box, axis=0))


def _rows(body: Crop, n_base: int) -> Indices:
    rows = np.full(n_base, -1)
    whole = np.flatnonzero(body.share == 0)
    rows[body.ends[whole, 0]] = whole
    return rows
