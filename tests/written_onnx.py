"""A tiny ONNX network, written byte by byte: the package that makes them is not needed otherwise."""

from __future__ import annotations

from pathlib import Path

_FLOAT = 1


def write_averages(path: Path, size: int = 112) -> Path:
    """(1, 3, size, size) to (1, 3, 1, 1): the mean of each channel."""
    node = _text(1, "faces") + _text(2, "embedding") + _text(4, "GlobalAveragePool")
    graph = (
        _message(1, node) + _text(2, "g") + _message(11, _value("faces", (1, 3, size, size)))
        + _message(12, _value("embedding", (1, 3, 1, 1)))
    )  # fmt: skip
    opset = _text(1, "") + _number(2, 13)
    path.write_bytes(_number(1, 8) + _message(7, graph) + _message(8, opset))
    return path


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    dimensions = b"".join(_message(1, _number(1, size)) for size in shape)
    tensor = _number(1, _FLOAT) + _message(2, dimensions)
    return _text(1, name) + _message(2, _message(1, tensor))


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
