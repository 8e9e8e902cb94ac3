"""A head in FLAME's layout: the stand-in's skin and eyeballs, masks and landmarks, and an empty mouth."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.sparse

from singinghead.flame_model.arrays import PARENTS, HeadArrays, Landmarks
from singinghead.flame_model.stand_in import load_stand_in


def bare_arrays() -> HeadArrays:
    """The stand-in without teeth, tongue, mouth and colours."""
    arrays = load_stand_in().arrays
    kept = np.sort(np.concatenate([arrays.parts["skin"], arrays.parts["eyes"]]))
    vertices = np.unique(arrays.faces[kept])
    new_vertex = np.full(len(arrays.template), -1)
    new_vertex[vertices] = np.arange(len(vertices))
    new_face = np.full(len(arrays.faces), -1)
    new_face[kept] = np.arange(len(kept))
    regions = {name: new_vertex[region][new_vertex[region] >= 0] for name, region in arrays.regions.items()}
    landmarks = {
        name: Landmarks(np.maximum(new_face[points.faces], 0), points.weights) for name, points in arrays.landmarks.items()
    }
    joints = arrays.joint_regressor @ arrays.template
    return replace(
        arrays,
        name="bare head",
        template=arrays.template[vertices],
        shape_basis=arrays.shape_basis[vertices],
        expression_basis=arrays.expression_basis[vertices],
        pose_basis=arrays.pose_basis[vertices],
        joint_regressor=_regressor(joints, arrays.template[vertices]),
        skinning=arrays.skinning[vertices],
        faces=new_vertex[arrays.faces[kept]],
        regions={name: region for name, region in regions.items() if name not in ("teeth", "tongue", "mouth")},
        parts={"skin": new_face[arrays.parts["skin"]], "eyes": new_face[arrays.parts["eyes"]]},
        landmarks=landmarks,
        colors=None,
        uvs=None,
        uv_faces=None,
        is_stand_in=False,
    )


def _regressor(joints: np.ndarray, template: np.ndarray, n_near: int = 200) -> np.ndarray:
    """(5, V) the least weights of vertices nearby that give the same joints: those of the stand-in lie inside the mouth."""
    regressor = np.zeros((len(joints), len(template)))
    for row, joint in zip(regressor, joints, strict=True):
        near = np.argsort(np.linalg.norm(template - joint, axis=1))[:n_near]
        known = np.concatenate([template[near].T, np.ones((1, n_near))])
        row[near] = np.linalg.lstsq(known, np.append(joint, 1), rcond=None)[0]
    return regressor


def write_bare_head(folder: Path) -> Path:
    """The same as a FLAME model's files, masks and landmarks beside it."""
    arrays = bare_arrays()

    def padded(basis: np.ndarray, n: int) -> np.ndarray:
        return np.concatenate([basis[:, :, :n], np.zeros((*basis.shape[:2], max(0, n - basis.shape[2])))], axis=2)

    content = {
        "v_template": arrays.template,
        "shapedirs": np.concatenate([padded(arrays.shape_basis, 300), padded(arrays.expression_basis, 100)], axis=2),
        "posedirs": arrays.pose_basis,
        "J_regressor": scipy.sparse.csc_matrix(arrays.joint_regressor),
        "kintree_table": np.array([[2**32 - 1, *PARENTS[1:]], range(5)], np.uint32),
        "weights": arrays.skinning,
        "f": arrays.faces.astype(np.uint32),
        "bs_style": "lbs",
    }
    (folder / "generic_model.pkl").write_bytes(pickle.dumps(content))
    (folder / "FLAME_masks.pkl").write_bytes(pickle.dumps(dict(arrays.regions)))
    points = {
        key: value[None] if name == "full" else value
        for name, found in arrays.landmarks.items()
        for key, value in ((f"{name}_lmk_faces_idx", found.faces), (f"{name}_lmk_bary_coords", found.weights))
    }
    np.save(folder / "landmark_embedding.npy", np.array(points, dtype=object), allow_pickle=True)
    return folder
