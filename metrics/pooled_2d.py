"""FID and KID of each method, over the clips that every method has, from the features that were kept of each video."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from singinghead.flame_model.errors import InputError
from singinghead.metrics.frechet import FeatureStatistics, few_frames, fid, kid
from singinghead.metrics.one_video import read_features
from singinghead.metrics.results import Pooled

Files = Mapping[str, Path]
"""Clip to the file of its frames' features."""


@dataclass(frozen=True)
class PooledRow:
    """A method's metrics of all its frames at once.

    Attributes:
        values: metric to number.
        notes: how many frames they are of.
    """

    values: dict[str, Pooled]
    notes: tuple[str, ...] = ()


def without_values(names: Sequence[str], ids: Sequence[str], reason: str) -> PooledRow:
    """A row that has none."""
    return PooledRow({name: Pooled(None, tuple(ids), reason) for name in names})


def compare_features(names: Sequence[str], ids: Sequence[str], generated: Files, truth: Files) -> PooledRow:
    """Compare the features of the same clips.

    Args:
        names: of the Fréchet distance, and of the kernel distance if it is wanted.
        ids: the clips.
        generated: their files of a method.
        truth: their files of the ground truth.

    Raises:
        InputError: a file is gone or broken.
    """
    statistics, true_statistics = _statistics(generated, ids), _statistics(truth, ids)
    values = {names[0]: Pooled(fid(statistics, true_statistics), tuple(ids))}
    for name in names[1:]:
        values[name] = Pooled(kid(_all_features(generated, ids), _all_features(truth, ids)), tuple(ids))
    counted = f"{', '.join(names)} of {statistics.n} generated and {true_statistics.n} true frames"
    warning = few_frames(statistics.n, true_statistics.n)
    return PooledRow(values, (counted, warning) if warning else (counted,))


def _statistics(files: Files, ids: Sequence[str]) -> FeatureStatistics:
    parts = (FeatureStatistics.of(_features(files[clip_id])) for clip_id in ids)
    return functools.reduce(lambda total, part: total + part, parts)


def _all_features(files: Files, ids: Sequence[str]) -> np.ndarray:
    """(N, D) of all frames, mapped from a file without a name, so that memory stays flat."""
    with tempfile.TemporaryFile() as file:
        for clip_id in ids:
            features = _features(files[clip_id]).astype(np.float32)
            file.write(features.tobytes())
        file.flush()
        return np.memmap(file, np.float32, "r").reshape(-1, features.shape[1])


def _features(path: Path) -> np.ndarray:
    features = read_features(path)
    if features is None:
        raise InputError("is gone or broken since it was written", file=path, remedy="run again")
    return features
