"""How much of a sculpted shape the jaw joint does: FLAME leaves the jaw to it, and so must our expressions."""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Floats, Indices
from singinghead.flame_model.rotations import matrix_from_axis_angle


def opened(points: Floats, weights: Floats, joint: Floats, rotation: Floats) -> Floats:
    """(V, 3) points after skinning by the jaw alone.

    Args:
        points: (V, 3) metres.
        weights: (V,) of the jaw.
        joint: (3,) its joint.
        rotation: (3,) axis-angle, radians.
    """
    turned = (points - joint) @ matrix_from_axis_angle(rotation).T + joint
    return np.asarray(points + weights[:, None] * (turned - points))


def closed(points: Floats, weights: Floats, joint: Floats, rotation: Floats) -> Floats:
    """(V, 3) the points that :func:`opened` would bring to ``points``."""
    matrix = matrix_from_axis_angle(rotation)
    of_vertex = np.eye(3) + weights[:, None, None] * (matrix - np.eye(3))
    return np.asarray(np.linalg.solve(of_vertex, (points - joint)[..., None])[..., 0] + joint)


def fitted_rotation(template: Floats, displacement: Floats, joint: Floats, chin: Indices) -> Floats:
    """(3,) the rotation of the jaw, axis-angle in radians, that moves the chin most nearly as a shape does.

    Args:
        template: (V, 3) the neutral head.
        displacement: (V, 3) of the shape.
        joint: (3,) the jaw's.
        chin: vertices that the jaw carries wholly.
    """
    rotation = np.zeros(3)
    wanted = template[chin] + displacement[chin]
    for _ in range(5):  # Gauss-Newton steps; three would do
        now = opened(template[chin], np.ones(len(chin)), joint, rotation)
        x, y, z = (now - joint).T
        zero = np.zeros_like(x)
        slopes = np.stack([zero, z, -y, -z, zero, x, y, -x, zero], axis=1).reshape(-1, 3)
        rotation = rotation + np.linalg.lstsq(slopes, (wanted - now).ravel(), rcond=None)[0]
    return rotation
