"""A glTF file evaluated as the glTF 2.0 specification says, with nothing of ours: struct, json and numpy."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

COMPONENTS = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
SHAPES = {"SCALAR": (), "VEC2": (2,), "VEC3": (3,), "VEC4": (4,), "MAT4": (4, 4)}


@dataclass(frozen=True)
class Surface:
    """One primitive at one time: places in metres, unit normals, and whatever else its vertices have."""

    vertices: np.ndarray
    normals: np.ndarray
    attributes: dict[str, np.ndarray]
    faces: np.ndarray
    material: dict[str, Any]


class Gltf:
    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        n_json, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON"
        self.content = json.loads(data[20 : 20 + n_json])
        n_binary, kind = struct.unpack_from("<I4s", data, 20 + n_json)
        assert kind == b"BIN\0"
        self.buffer = data[28 + n_json : 28 + n_json + n_binary]
        assert len(self.buffer) == self.content["buffers"][0]["byteLength"]
        self._decoded: dict[int, np.ndarray] = {}
        self.animation = self.content["animations"][0]
        self.times = self.accessor(self.animation["samplers"][0]["input"])

    def accessor(self, index: int) -> np.ndarray:
        if index not in self._decoded:
            self._decoded[index] = self._decode(index)
        return self._decoded[index]

    def _decode(self, index: int) -> np.ndarray:
        accessor = self.content["accessors"][index]
        kind, shape = np.dtype(COMPONENTS[accessor["componentType"]]), SHAPES[accessor["type"]]
        count = accessor["count"]
        if "bufferView" in accessor:
            values = self._viewed(accessor["bufferView"], accessor.get("byteOffset", 0), kind, shape, count).copy()
        else:
            values = np.zeros((count, *shape), kind)
        if "sparse" in accessor:
            n = accessor["sparse"]["count"]
            where, what = accessor["sparse"]["indices"], accessor["sparse"]["values"]
            indices = self._viewed(where["bufferView"], 0, np.dtype(COMPONENTS[where["componentType"]]), (), n)
            values[indices] = self._viewed(what["bufferView"], 0, kind, shape, n)
        for name in ("min", "max"):
            if name in accessor:
                assert np.array_equal(np.atleast_1d(getattr(values, name)(axis=0)), np.array(accessor[name], kind))
        if accessor.get("normalized"):
            return np.maximum(values / np.iinfo(kind).max, -1)
        return values.astype(float) if kind.kind == "f" else values

    def _viewed(self, view: int, offset: int, kind: np.dtype, shape: tuple[int, ...], count: int) -> np.ndarray:
        view = self.content["bufferViews"][view]
        size = kind.itemsize * int(np.prod(shape))
        stride = view.get("byteStride", size)
        assert offset + stride * (count - 1) + size <= view["byteLength"]
        start = view["byteOffset"] + offset
        rows = [self.buffer[start + stride * i : start + stride * i + size] for i in range(count)]
        return np.frombuffer(b"".join(rows), kind).reshape(count, *shape)

    def sampled(self, node: int, path: str, time: float, rest: np.ndarray) -> np.ndarray:
        """A property of a node at a time, between key frames too."""
        for channel in self.animation["channels"]:
            if (channel["target"]["node"], channel["target"]["path"]) == (node, path):
                sampler = self.animation["samplers"][channel["sampler"]]
                assert sampler["interpolation"] == "LINEAR"
                values = self.accessor(sampler["output"]).reshape(len(self.times), -1)
                before = int(np.clip(np.searchsorted(self.times, time, "right") - 1, 0, len(self.times) - 1))
                after = min(before + 1, len(self.times) - 1)
                gap = self.times[after] - self.times[before]
                part = np.clip((time - self.times[before]) / gap, 0, 1) if gap else 0.0
                a, b = values[before], values[after]
                if path != "rotation":
                    return a + part * (b - a)
                b = b if a @ b >= 0 else -b
                angle = np.arccos(np.clip(a @ b, -1, 1))
                if angle < 1e-9:
                    return a
                return (np.sin((1 - part) * angle) * a + np.sin(part * angle) * b) / np.sin(angle)
        return rest

    def placed(self, time: float) -> dict[int, np.ndarray]:
        """The (4, 4) transform of every node in the scene's coordinates."""
        found: dict[int, np.ndarray] = {}

        def visit(index: int, above: np.ndarray) -> None:
            node = self.content["nodes"][index]
            own = np.eye(4)
            rotation = self.sampled(index, "rotation", time, np.array(node.get("rotation", [0, 0, 0, 1])))
            own[:3, :3] = matrix(rotation)
            own[:3, 3] = self.sampled(index, "translation", time, np.array(node.get("translation", [0, 0, 0])))
            assert "scale" not in node
            found[index] = above @ own
            for child in node.get("children", ()):
                visit(child, found[index])

        for root in self.content["scenes"][self.content["scene"]]["nodes"]:
            visit(root, np.eye(4))
        return found

    def surfaces(self, time: float) -> list[Surface]:
        """What is seen at a time in seconds."""
        places = self.placed(time)
        (head,) = (i for i, node in enumerate(self.content["nodes"]) if "mesh" in node)
        node = self.content["nodes"][head]
        mesh, skin = self.content["meshes"][node["mesh"]], self.content["skins"][node["skin"]]
        binds = np.swapaxes(self.accessor(skin["inverseBindMatrices"]), 1, 2)
        joints = np.stack([places[joint] @ bind for joint, bind in zip(skin["joints"], binds, strict=True)])
        weights = self.sampled(head, "weights", time, np.array(mesh.get("weights", [])))
        surfaces = []
        for primitive in mesh["primitives"]:
            attributes = {name: self.accessor(index) for name, index in primitive["attributes"].items()}
            vertices, normals = attributes["POSITION"], attributes["NORMAL"]
            for weight, target in zip(weights, primitive.get("targets", []), strict=True):
                vertices = vertices + weight * self.accessor(target["POSITION"])
                normals = normals + weight * self.accessor(target["NORMAL"])
            assert np.allclose(attributes["WEIGHTS_0"].sum(axis=1), 1, atol=1e-6)
            blend = np.einsum("vk,vkij->vij", attributes["WEIGHTS_0"], joints[attributes["JOINTS_0"]])
            vertices = np.einsum("vij,vj->vi", blend[:, :3, :3], vertices) + blend[:, :3, 3]
            normals = np.einsum("vji,vj->vi", np.linalg.inv(blend[:, :3, :3]), normals)
            faces = self.accessor(primitive["indices"]).reshape(-1, 3)
            material = self.content["materials"][primitive["material"]]
            normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
            surfaces.append(Surface(vertices, normals, attributes, faces, material))
        return surfaces

    def errors(self, time: float, truth: np.ndarray) -> np.ndarray:
        """By how much each vertex misses that of the model which it says it is."""
        return np.concatenate(
            [
                np.linalg.norm(surface.vertices - truth[surface.attributes["_VERTEX"].astype(int)], axis=1)
                for surface in self.surfaces(time)
            ]
        )


def matrix(quaternion: np.ndarray) -> np.ndarray:
    x, y, z, w = quaternion
    assert abs(np.linalg.norm(quaternion) - 1) < 1e-6
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
