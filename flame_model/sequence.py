"""One clip's motion, read from a file in any of the field's forms, checked, and resampled by time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model import array_file
from singinghead.flame_model.errors import AngleError, InputError, NotFiniteError
from singinghead.flame_model.params import N_EXPRESSION, N_PARAMS, N_SHAPE, FlameParams, Frames
from singinghead.flame_model.rotations import rotation_angle, slerp
from singinghead.flame_model.shapes import as_array, check_shape
from singinghead.flame_model.stored_file import Source, StoredFile

logger = logging.getLogger(__name__)

_KEYS = ("expcodes", "posecodes")


@dataclass(frozen=True)
class ParamSequence:
    """A clip as FLAME parameters.

    Attributes:
        id: the clip's name, e.g. ``id0_10_0_0``; opaque.
        file: what it came from.
        params: T frames of parameters.
        shape: (100,) identity coefficients, or None where the file has none.
        n_samples: how many samples the file holds; ``params`` is one of them.
    """

    id: str
    file: StoredFile
    params: FlameParams
    shape: Frames | None
    n_samples: int = 1

    def __len__(self) -> int:
        return len(self.params)


@dataclass(frozen=True)
class VertexSequence:
    """A clip as generated vertices, which stay on disk until :meth:`chunks` reads them.

    Attributes:
        id: the clip's name.
        file: what it came from.
        stored: (N, V, 3) metres, the file's own frames.
        position: (T,) where in ``stored`` each frame of the clip lies; fractions are between two stored frames.
        n_samples: how many samples the file holds.
    """

    id: str
    file: StoredFile
    stored: NDArray[np.floating]
    position: NDArray[np.float64]
    n_samples: int = 1

    def __len__(self) -> int:
        return len(self.position)

    def chunks(self, size: int) -> Iterator[Frames]:
        """Yield float32 (at most ``size``, V, 3) vertices in order, checking each.

        Raises:
            InputError: NaN or infinity among them.
        """
        for start in range(0, len(self), size):
            before, after, weight = _between(self.position[start : start + size], len(self.stored))
            try:
                first, second = (_floats("vertices", self.stored[frames]) for frames in (before, after))
            except InputError as error:
                raise type(error)(f"{error} of those from {before[0]}", file=self.file) from None
            yield first + weight[..., None] * (second - first)


Sequence = ParamSequence | VertexSequence


def load_sequence(source: Source, sample: int = 0) -> Sequence:
    """Read one clip.

    Read are: a ``.pkl`` or ``.npz`` of ``expcodes`` (T, 50), ``posecodes`` (T, 9) = global, neck, jaw and perhaps
    ``shapecode`` (100,) or (1, 100), as SingingHead releases it; a (T, 59) or (S, T, 59) array in ``.npy`` or ``.pkl``; and
    vertices (T, V, 3), (S, T, V, 3), (T, 3V) or (S, T, 3V) in ``.npy``.

    Args:
        source: a path, or a dataset's file; its stem is the clip's id.
        sample: which of several samples.

    Raises:
        InputError: the file cannot be read, or is not a sequence: wrong keys, shape or type, NaN, angles over 2π.
        UnsafePickleError: a pickle asks for something other than arrays.
    """
    file = StoredFile.of(source)
    content = array_file.read(file)
    try:
        if isinstance(content, Mapping):
            return _from_mapping(content, file, sample)
        if isinstance(content, np.ndarray):
            return _from_array(content, file, sample)
        raise InputError(f"holds a {type(content).__name__}, not arrays")
    except InputError as error:
        raise type(error)(str(error), file=file) from None


def _from_mapping(content: Mapping[str, Any], file: StoredFile, sample: int) -> ParamSequence:
    missing = [key for key in _KEYS if key not in content]
    if missing:
        found = ", ".join(sorted(str(key) for key in content)[:8]) or "nothing"
        raise InputError(f"no '{missing[0]}' in it (found {found})", remedy="a sequence holds expcodes and posecodes")
    if sample != 0:
        raise InputError(f"sample {sample} was asked for, but it holds one sample")
    expression, pose = (_floats(key, content[key]) for key in _KEYS)
    (n_frames,) = check_shape("expcodes", expression, "T", N_EXPRESSION)
    check_shape("posecodes", pose, n_frames, 9)
    params = _checked(FlameParams.from_vectors(np.concatenate([expression, pose], axis=1)))
    shape = content.get("shapecode")
    return ParamSequence(file.stem, file, params, None if shape is None else _shape_code(shape))


def _from_array(array: NDArray[Any], file: StoredFile, sample: int) -> Sequence:
    if array.dtype.hasobject or array.ndim < 2:
        raise InputError(f"holds an array of shape {array.shape} and type {array.dtype}, not a sequence")
    width = array.shape[-1]
    one_sample = 3 if width == 3 else 2  # axes: (T, V, 3), else (T, 59) or (T, 3V)
    samples = array[None] if array.ndim == one_sample else array
    is_params = width == N_PARAMS
    if samples.ndim != one_sample + 1 or not (is_params or (width % 3 == 0 and file.suffix.lower() == ".npy")):
        raise InputError(
            f"an array of shape {array.shape} is neither parameters (T, 59) nor, in .npy, vertices (T, V, 3) or (T, 3V)"
        )
    if not 0 <= sample < len(samples):
        raise InputError(f"sample {sample} was asked for, but it holds {len(samples)}", remedy="they count from 0")
    chosen = samples[sample]
    if is_params:
        params = _checked(FlameParams.from_vectors(_floats("params", chosen)))
        return ParamSequence(file.stem, file, params, None, len(samples))
    if chosen.dtype.kind != "f":
        raise InputError(f"vertices must be floating point; got {chosen.dtype}")
    if chosen.size == 0:
        raise InputError("holds no frames")
    stored = chosen.reshape(len(chosen), -1, 3)
    return VertexSequence(file.stem, file, stored, np.arange(len(stored), dtype=np.float64), len(samples))


def _floats(name: str, value: Any) -> Frames:
    array = as_array(name, value)
    if array.dtype.kind != "f":
        raise InputError(f"{name} must be floating point; got {array.dtype}")
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        where = f", first in frame {np.argwhere(~np.isfinite(array))[0][0]}" if array.ndim > 1 else ""
        raise NotFiniteError(f"{name} holds NaN or infinity{where}")
    return array


def _shape_code(value: Any) -> Frames:
    shape = _floats("shapecode", value)
    if shape.ndim == 2 and len(shape) == 1:
        shape = shape[0]
    check_shape("shapecode", shape, N_SHAPE)
    return shape


def _checked(params: FlameParams) -> FlameParams:
    if len(params) == 0:
        raise InputError("holds no frames")
    for name in ("global_pose", "neck", "jaw"):
        angles = rotation_angle(getattr(params, name))
        frame = int(angles.argmax())
        problem = f"{name} turns by {angles[frame]:.2f} rad in frame {frame}"
        if angles[frame] > 2 * np.pi:
            raise AngleError(f"{problem}, over 2π", remedy="are the angles in degrees?")
        if angles[frame] > np.pi:
            logger.warning("%s, over π: is it meant?", problem)
    return params


def resample(sequence: Sequence, fps: float, out_fps: float) -> Sequence:
    """Resample a clip by time: linear for expression and vertices, slerp for rotations.

    Frame i of either clip stands for time i / rate, so the first frames coincide, and the length in seconds is kept to
    the nearest frame. Times after the last source frame hold it. Vertices are interpolated as they are read.
    """
    if fps == out_fps:
        return sequence
    n_frames = max(1, round(len(sequence) * out_fps / fps))
    position = np.clip(np.arange(n_frames) * (fps / out_fps), 0, len(sequence) - 1)
    if isinstance(sequence, VertexSequence):
        return replace(sequence, position=np.interp(position, np.arange(len(sequence)), sequence.position))
    before, after, weight = _between(position, len(sequence))
    a, b = sequence.params.map(lambda x: x[before]), sequence.params.map(lambda x: x[after])
    params = FlameParams(
        expression=a.expression + weight * (b.expression - a.expression),
        global_pose=slerp(a.global_pose, b.global_pose, weight),
        neck=slerp(a.neck, b.neck, weight),
        jaw=slerp(a.jaw, b.jaw, weight),
        eyes=np.concatenate([slerp(a.eyes[:, i : i + 3], b.eyes[:, i : i + 3], weight) for i in (0, 3)], axis=1),
    )
    return replace(sequence, params=params)


def _between(position: NDArray[np.float64], n_stored: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Frames]:
    """The frames before and after each position, and the (T, 1) weight of the one after."""
    before = np.minimum(position.astype(np.int64), n_stored - 1)
    after = np.minimum(before + 1, n_stored - 1)
    return before, after, (position - before).astype(np.float32)[:, None]
