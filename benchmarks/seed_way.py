"""The SingingHead benchmark's way of computing its 3D metrics, rewritten: what ours is timed against.

Everything of a clip is in memory at once; the ground truth is repeated for every sample; FLAME is computed three times, for
errors at zero head pose, for diversity as posed, and for landmarks to beats as posed. All on ``smplx.lbs``.
"""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from scipy.signal import argrelextrema
from smplx.lbs import lbs, vertices2landmarks

from singinghead.flame_model.arrays import PARENTS, HeadArrays
from singinghead.flame_model.sequence import ParamSequence, load_sequence

_ZERO_POSE, _JAW = slice(50, 56), slice(56, 59)


class SeedFlame:
    """FLAME as a layer: a batch of shapes, expressions and poses to vertices and landmarks."""

    def __init__(self, arrays: HeadArrays) -> None:
        def put(array: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array, np.float32))

        self._template = put(arrays.template[None])
        self._components = put(np.concatenate([arrays.shape_basis, arrays.expression_basis], axis=2))
        self._correctives = put(arrays.pose_basis.reshape(-1, 36).T)
        self._regressor, self._weights = put(arrays.joint_regressor), put(arrays.skinning)
        self._parents, self._faces = torch.tensor(PARENTS), torch.from_numpy(arrays.faces)
        full = arrays.landmarks["full"]
        self._landmark_faces, self._landmark_weights = torch.from_numpy(full.faces[None]), put(full.weights[None])

    def __call__(self, shape: torch.Tensor, params: torch.Tensor, keep_pose: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, V, 3) vertices and (N, 68, 3) landmarks of (N, 100) shapes and (N, 59) parameters."""
        n = len(params)
        head = params[:, _ZERO_POSE] if keep_pose else torch.zeros(n, 6)
        pose = torch.cat([head, params[:, _JAW], torch.zeros(n, 6)], dim=1)
        codes = torch.cat([shape, params[:, :50]], dim=1)
        vertices, _joints = lbs(
            codes,
            pose,
            self._template.expand(n, -1, -1),
            self._components,
            self._correctives,
            self._regressor,
            self._parents,
            self._weights,
        )
        faces, weights = self._landmark_faces.repeat(n, 1), self._landmark_weights.repeat(n, 1, 1)
        return vertices, vertices2landmarks(vertices, self._faces, faces, weights)


def vertex_metrics(
    samples: torch.Tensor, truth: torch.Tensor, lips: np.ndarray, face: np.ndarray, upper_face: np.ndarray
) -> dict[str, float]:
    """Of (B, S, T, V, 3) samples and (B, T, V, 3) truth."""
    repeated = truth.unsqueeze(1).repeat(1, samples.shape[1], 1, 1, 1)
    lip_errors = torch.norm(samples[..., lips, :] - repeated[..., lips, :], dim=-1).amax(-1).mean(-1)
    face_errors = torch.norm(samples[..., face, :] - repeated[..., face, :], dim=-1)
    moves = [
        torch.std((vertices[..., upper_face, :] ** 2).sum(-1), dim=-2).mean().item() for vertices in (repeated, samples)
    ]
    return {
        "lve_mean": lip_errors.mean().item(),
        "lve_min": lip_errors.amin(1).mean().item(),
        "ve_mean": face_errors.mean().item(),
        "ve_min": face_errors.amin(1).mean().item(),
        "fdd": moves[0] - moves[1],
    }


def motion_metrics(samples: torch.Tensor, truth: torch.Tensor) -> dict[str, float]:
    """Of (B, S, T, 59) samples and (B, T, 59) truth."""
    found = {}
    for name, columns in (("", slice(0, 59)), ("_pose", _ZERO_POSE)):
        distances = torch.norm(samples[..., columns] - truth[:, None, :, columns], dim=-1).mean(-1)
        found[f"mindist{name}"] = distances.amin(1).mean().item()
        found[f"meandist{name}"] = distances.mean().item()
        found[f"diversity{name}"] = diversity(samples[..., columns])
    return found


def diversity(samples: torch.Tensor) -> float:
    """Mean distance of pairs of (B, S, ...) samples as flat vectors; 0 for one sample."""
    if samples.shape[1] < 2:
        return 0.0
    return float(np.mean([torch.nn.functional.pdist(flat.reshape(len(flat), -1)).mean().item() for flat in samples]))


def beat_alignment(beats: np.ndarray, points: np.ndarray) -> float:
    """Of beats in the sound's frames and (T, N, D) points in the motion's."""
    speed = np.mean(np.sqrt(np.sum((points[1:] - points[:-1]) ** 2, axis=2)), axis=1)
    moves = argrelextrema(gaussian_filter(speed, 5), np.less)[0]
    heard = [beat for beat in beats if beat < len(speed)]
    return float(np.mean([np.exp(-np.min((moves - beat) ** 2) / 2 / 9) for beat in heard]))


def audio_beats(path: Path) -> np.ndarray:
    """Beats of a recording, in hops of 512 samples at 16 kHz."""
    sound, rate = librosa.load(path, sr=16000)
    percussive = librosa.effects.percussive(sound)
    onsets = librosa.onset.onset_strength(y=percussive, sr=rate, aggregate=np.median)
    return np.asarray(librosa.beat.beat_track(onset_envelope=onsets, sr=rate)[1])


def clip_metrics(
    flame: SeedFlame, truth_path: Path, samples_path: Path, beats: np.ndarray, masks: dict[str, np.ndarray]
) -> dict[str, float]:
    """All of the seed's 3D metrics of one clip."""
    truth = load_sequence(truth_path)
    assert isinstance(truth, ParamSequence)
    assert truth.shape is not None
    first = load_sequence(samples_path)
    loaded = [first, *(load_sequence(samples_path, sample) for sample in range(1, first.n_samples))]
    vectors = np.stack([sample.params.to_vectors() for sample in loaded if isinstance(sample, ParamSequence)])
    samples, theirs = torch.from_numpy(vectors)[None], torch.from_numpy(truth.params.to_vectors())[None]
    n_samples, n_frames = samples.shape[1:3]
    shape = torch.from_numpy(truth.shape)[None].repeat(n_samples * n_frames, 1)
    repeated = theirs.unsqueeze(1).repeat(1, n_samples, 1, 1).view(-1, 59)
    flat = samples.reshape(-1, 59)

    def batched(points: torch.Tensor) -> torch.Tensor:
        return points.view(1, n_samples, n_frames, *points.shape[1:])

    with torch.no_grad():
        true_vertices = batched(flame(shape, repeated, keep_pose=False)[0])[:, 0]
        vertices = batched(flame(shape, flat, keep_pose=False)[0])
        found = vertex_metrics(vertices, true_vertices, masks["lips"], masks["face"], masks["upper_face"])
        del vertices, true_vertices
        posed, landmarks = (batched(points) for points in flame(shape, flat, keep_pose=True))
        found |= motion_metrics(samples, theirs)
        found["diversity_lmk"] = diversity(landmarks)
        found["diversity_verts"] = diversity(posed)
        found["diversity_face"] = diversity(posed[..., masks["face"], :])
        del posed
        landmarks = batched(flame(shape, flat, keep_pose=True)[1])
    found["ba_lmk"] = float(np.mean([beat_alignment(beats, points.numpy()) for points in landmarks[0]]))
    pose = samples[0][..., _ZERO_POSE].double().numpy()
    found["ba_pose"] = float(np.mean([beat_alignment(beats, points[:, None]) for points in pose]))
    return found
