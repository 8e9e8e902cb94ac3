"""The joints that each vertex follows, four at most: viewers read no more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import Frames
from singinghead.render.asset.animation import Animation

_MOST = 4
_STILL = 1e-7


def four_influences(animation: Animation) -> tuple[NDArray[np.uint8], Frames]:
    """Indices and weights (V, 4) of the joints that each vertex follows, the strongest first.

    A vertex that follows five, which no head should, gets an eye's share from the eye's parent: the same as long as the eye
    does not turn in its socket.

    Raises:
        InputError: the eyes do turn, and a vertex follows five joints.
    """
    skinning, joints = animation.skinning.copy(), animation.joints
    crowded = (skinning > 0).sum(axis=1) > _MOST
    if crowded.any():
        turning = np.abs(joints.rotations[:, :, :3]).max(axis=(0, 2)) > _STILL
        eyes = [i for i in range(len(joints.names)) if "eye" in joints.names[i]]
        if turning[eyes].any():
            raise InputError("vertices that follow five joints cannot be exported while the eyes move")
        for eye in eyes:
            skinning[crowded, joints.parents[eye]] += skinning[crowded, eye]
            skinning[crowded, eye] = 0
    strongest = np.argsort(-skinning, axis=1, kind="stable")[:, :_MOST]
    weights = np.take_along_axis(skinning, strongest, axis=1)
    weights = np.pad(weights, ((0, 0), (0, _MOST - weights.shape[1])))
    indices = np.pad(strongest, ((0, 0), (0, _MOST - strongest.shape[1])))
    return np.where(weights > 0, indices, 0).astype(np.uint8), weights.astype(np.float32)
