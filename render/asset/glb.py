"""The binary glTF container: JSON objects that point at one buffer of arrays (glTF 2.0, sections 3.6 and 4.4)."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.whole_file import written_whole

Array = NDArray[Any]

_COMPONENT_TYPES = {"int8": 5120, "uint8": 5121, "int16": 5122, "uint16": 5123, "uint32": 5125, "float32": 5126}
_TYPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_VERTICES, _TRIANGLES = 34962, 34963
"""What a view of the buffer is for, in OpenGL's numbers."""


class Glb:
    """A document in the making.

    Attributes:
        content: its JSON; :meth:`save` adds the buffer.
    """

    def __init__(self) -> None:
        self.content: dict[str, Any] = {"bufferViews": [], "accessors": []}
        self._buffer = bytearray()

    def vertices(self, values: Array, normalized: bool = False, bounds: bool = False) -> int:
        """Add an attribute of vertices, (n,) or (n, 2 to 4), each padded to whole words as the format demands.

        Returns:
            The accessor's index.
        """
        row = values.dtype.itemsize * (values.shape[1] if values.ndim > 1 else 1)
        padded = np.zeros((len(values), -(-row // 4) * 4), np.uint8)
        padded[:, :row] = np.ascontiguousarray(values).reshape(len(values), -1).view(np.uint8)
        view = self._view(padded, target=_VERTICES, byteStride=padded.shape[1])
        return self._accessor(values, bounds, bufferView=view, **_flag(normalized))

    def triangles(self, faces: Array) -> int:
        """Add the corners of triangles, (F, 3) whole numbers; returns the accessor's index."""
        corners = _whole_numbers(faces.ravel())
        return self._accessor(corners, bufferView=self._view(corners, target=_TRIANGLES))

    def samples(self, values: Array, bounds: bool = False) -> int:
        """Add times, sampled values or matrices of single precision; returns the accessor's index."""
        values = values.astype("<f4")
        return self._accessor(values, bounds, bufferView=self._view(values))

    def places(self, vertices: NDArray[np.int64]) -> int:
        """Add increasing indices of vertices, at which :meth:`displacements` are given.

        Returns:
            The index of a view of the buffer, not of an accessor.
        """
        return self._view(_whole_numbers(vertices))

    def displacements(self, values: Array, places: int, at: NDArray[np.int64], n_vertices: int, bounds: bool = False) -> int:
        """Add normalized displacements (n, 3) of the vertices ``at``; all others stay where they are.

        As a sparse accessor: its values need no padding and all displacements of a mesh can share one list of places.

        Returns:
            The accessor's index.
        """
        full = np.zeros((n_vertices, 3), values.dtype)
        full[at] = values
        if not values.any():
            return self._accessor(full, bounds, **_flag(True))
        kind = _COMPONENT_TYPES[str(_whole_numbers(at).dtype)]
        sparse = {
            "count": len(at),
            "indices": {"bufferView": places, "componentType": kind},
            "values": {"bufferView": self._view(values)},
        }
        return self._accessor(full, bounds, sparse=sparse, **_flag(True))

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            InputError: it cannot be written there.
        """
        self._align()
        document = self.content | {"buffers": [{"byteLength": len(self._buffer)}]}
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(self._buffer)
        with written_whole(path) as partial, partial.open("wb") as file:
            file.write(struct.pack("<4sII", b"glTF", 2, length))
            file.write(struct.pack("<I4s", len(text), b"JSON") + text)
            file.write(struct.pack("<I4s", len(self._buffer), b"BIN\0"))
            file.write(self._buffer)

    def _view(self, values: Array, **more: int) -> int:
        self._align()
        data = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        views: list[dict[str, int]] = self.content["bufferViews"]
        views.append({"buffer": 0, "byteOffset": len(self._buffer), "byteLength": len(data)} | more)
        self._buffer += data
        return len(views) - 1

    def _accessor(self, values: Array, bounds: bool = False, **more: Any) -> int:
        accessor: dict[str, Any] = {
            "componentType": _COMPONENT_TYPES[str(values.dtype)],
            "count": len(values),
            "type": _TYPES[values.shape[1:]],
        }
        if bounds:
            accessor |= {name: np.atleast_1d(getattr(values, name)(axis=0)).tolist() for name in ("min", "max")}
        accessors: list[dict[str, Any]] = self.content["accessors"]
        accessors.append(accessor | more)
        return len(accessors) - 1

    def _align(self) -> None:
        self._buffer += bytes(-len(self._buffer) % 4)


def _flag(normalized: bool) -> dict[str, bool]:
    return {"normalized": True} if normalized else {}


def _whole_numbers(values: Array) -> Array:
    """As narrow as they fit; the largest number of a type is reserved by the format."""
    return values.astype(np.uint16 if values.max(initial=0) < np.iinfo(np.uint16).max else np.uint32)
