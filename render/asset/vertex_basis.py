"""Generated vertices, which come without parameters, as a rigid motion and as few displacements as tell them apart.

The head's rotation is taken out first, because no few displacements make one. What is left is told apart by singular value
decompositions, chunk by chunk: memory grows with the number of displacements, and not with the clip's vertices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.spatial.transform import Rotation

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.model import CHUNK
from singinghead.flame_model.params import Frames
from singinghead.flame_model.sequence import VertexSequence
from singinghead.render.asset.basis import Basis, rebased
from singinghead.render.asset.joints import JointMotion, rigid_joint

MISSED_M = 40e-6
"""Metres by which a vertex may be missed for want of displacements."""


def vertex_basis(sequence: VertexSequence, missed: float = MISSED_M) -> tuple[Basis, JointMotion]:
    """The basis of a clip of vertices, and the one joint that carries it.

    Args:
        sequence: T frames.
        missed: metres; see :data:`MISSED_M`. The fewer decimals the vertices really have, the more displacements it takes:
            vertices that shake each on its own need one a frame.
    """
    first = next(sequence.chunks(1))[0].astype(np.float64)
    centre = first.mean(axis=0)
    quaternions, places = zip(*_rigid_motion(sequence.chunks(CHUNK), first), strict=True)
    rotations, centres = Rotation.from_quat(np.array(quaternions)), np.array(places)

    def shapes() -> Iterator[Floats]:
        """Displacements (n, 3V) from the first frame, without the head's motion."""
        back = rotations.inv().as_matrix()
        start = 0
        for chunk in sequence.chunks(CHUNK):
            frames = slice(start, start + len(chunk))
            level = np.einsum("tij,tvj->tvi", back[frames], chunk - centres[frames, None]) + centre
            yield (level - first).reshape(len(chunk), -1)
            start = frames.stop

    # First a little more than enough, as no chunk knows of the others; then, of all of it, no more than is needed.
    directions, coefficients = _ordered(_spanning(shapes(), missed / 8), shapes())
    n_kept = _enough(directions, coefficients, missed * 7 / 8)
    basis = rebased(
        tuple(f"motion_{k:03}" for k in range(n_kept)),
        first,
        directions[:n_kept].reshape(n_kept, *first.shape),
        coefficients[:, :n_kept],
        left_out=0,
    )
    return basis, rigid_joint(rotations, centres - rotations.apply(centre))


def _rigid_motion(chunks: Iterable[Frames], first: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Each frame's rotation from the first, as a quaternion, and its middle: the best in the sense of least squares."""
    level = first - first.mean(axis=0)
    for chunk in chunks:
        for vertices in chunk.astype(np.float64):
            centre = vertices.mean(axis=0)
            u, _, v = np.linalg.svd((vertices - centre).T @ level)
            mirrored = np.array([1, 1, np.linalg.det(u @ v)])
            yield Rotation.from_matrix(u * mirrored @ v).as_quat(), centre


def _spanning(chunks: Iterable[Floats], missed: float) -> Floats:
    """Orthonormal directions (K, D) that miss no vertex of rows (n, D) by more than ``missed``; not the fewest."""
    directions: Floats | None = None
    for rows in chunks:
        if directions is None:
            directions = np.zeros((0, rows.shape[1]))
        rest = rows - (rows @ directions.T) @ directions
        found, coefficients = _principal(rest)
        directions = np.concatenate([directions, found[: _enough(found, coefficients, missed)]])
    assert directions is not None
    return directions


def _principal(rows: Floats) -> tuple[Floats, Floats]:
    """Orthonormal directions (K, D) of rows (n, D), the longest first, and the rows' coefficients (n, K).

    By way of the rows' products with each other, a fifth of the work of a decomposition of the rows themselves. What lies
    below a millionth of the longest is left out: it is rounding.
    """
    squares, mixture = np.linalg.eigh(rows @ rows.T)
    kept = np.flatnonzero(squares > 1e-12 * squares[-1])[::-1]
    lengths = np.sqrt(squares[kept])
    return (mixture[:, kept] / lengths).T @ rows, mixture[:, kept] * lengths


def _ordered(directions: Floats, chunks: Iterable[Floats]) -> tuple[Floats, Floats]:
    """The same space with the directions in which most happens first, and the (T, K) coefficients."""
    u, s, v = np.linalg.svd(np.concatenate([rows @ directions.T for rows in chunks]), full_matrices=False)
    return v @ directions, u * s


def _enough(directions: Floats, coefficients: Floats, missed: float) -> int:
    """How many of the directions there must be for none of the vertices to be missed by more."""
    low, high = 0, len(directions)
    while low < high:
        middle = (low + high) // 2
        if _largest(coefficients[:, middle:], directions[middle:]) > missed:
            low = middle + 1
        else:
            high = middle
    return low


def _largest(coefficients: Floats, directions: Floats) -> float:
    """The longest displacement, metres, of any vertex in any frame."""
    chunks = (coefficients[start : start + CHUNK] @ directions for start in range(0, len(coefficients), CHUNK))
    return max(float(np.linalg.norm(chunk.reshape(-1, 3), axis=1).max(initial=0)) for chunk in chunks)
