"""A performance as a page wants it: a JSON document, and all arrays one after the other.

Wherever the document names an array it says ``{"at": byte, "type": "float32", "shape": [...]}``; bytes are little-endian.

Heads are not sent as vertices. Motions of parameters share one basis, on which each frame is a few dozen weights: the page
evaluates vertices as glTF programs do, by linear blend skinning. Each motion has two tracks, as it is drawn and at zero head
pose, so that errors in the page are those of the metrics, and not read off another picture.
"""

from __future__ import annotations

import io
import logging
import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.model import Subject
from singinghead.flame_model.params import FlameParams
from singinghead.flame_model.sequence import ParamSequence, Sequence, VertexSequence
from singinghead.flame_model.stored_file import StoredFile
from singinghead.render.asset.animation import Animation, animation_of, checked_motion, largest_error
from singinghead.render.asset.basis import in_16_bits
from singinghead.render.asset.joints import flame_joints
from singinghead.render.camera import DISTANCE, FOCAL_LENGTH, fixed_camera
from singinghead.render.clip import soundtrack
from singinghead.render.compare.strip import envelope
from singinghead.render.player.stage import Performance
from singinghead.render.scene import Scene, head_scene
from singinghead.render.texture import GAMMA

TOLERANCE_MM = 0.05
"""By how much a vertex of the page may miss ours before that is warned of."""

_COLUMNS = 2000
"""Of the waveforms."""
_HEAT_STEPS = 256

logger = logging.getLogger(__name__)

Array = NDArray[Any]


class Arrays:
    """The block of arrays in the making."""

    def __init__(self) -> None:
        self._block = bytearray()

    def add(self, values: Array) -> dict[str, Any]:
        """Append an array; returns how the document names it."""
        self._block += bytes(-len(self._block) % 8)
        name = {"at": len(self._block), "type": str(values.dtype), "shape": list(values.shape)}
        self._block += np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
        return name

    def __bytes__(self) -> bytes:
        return bytes(self._block)


def payload(show: Performance) -> tuple[dict[str, Any], bytes]:
    """The document and the block of arrays of a page.

    Raises:
        InputError: a head cannot be drawn, or a recording not be read.
    """
    arrays = Arrays()
    scene = head_scene(show.subject)
    for actor in show.actors:
        for _ in checked_motion(show.subject, actor.drawn, scene):
            pass
    bases, tracks, actors = _motions(show, arrays)
    document = {
        "id": show.id,
        "model": show.subject.arrays.name,
        "fps": show.fps,
        "frames": len(show),
        "facts": list(show.facts),
        "bases": bases,
        "tracks": tracks,
        "actors": actors,
        "head": _head(scene, arrays),
        "camera": _camera(show),
        "heat": {
            "most_mm": show.scale.maximum,
            "colors": arrays.add(show.scale.srgb(np.linspace(0, show.scale.maximum, _HEAT_STEPS))),
        },
        "beats": [] if show.beats is None else [float(beat) for beat in show.beats],
    }
    document |= _sound(show, arrays)
    return document, bytes(arrays)


def _motions(show: Performance, arrays: Arrays) -> tuple[list[Any], list[Any], list[Any]]:
    """Bases; tracks on them; and actors, who name two tracks each."""
    sequences = {id(one): one for actor in show.actors for one in (actor.drawn, actor.straight)}
    animations, bases = _animations(show.subject, list(sequences.values()))
    worst = max(1000 * largest_error(animations[key], show.subject, one) for key, one in sequences.items())
    if worst > TOLERANCE_MM:
        logger.warning("16 bits keep so large a motion only within %.2f mm: is it sane?", worst)
    numbers = {key: number for number, key in enumerate(sequences)}
    tracks = [_track(animations[key], bases[key], arrays) for key in sequences]
    distinct = {number: animations[key] for key, number in bases.items()}
    actors = [
        {
            "name": actor.name,
            "color": "#{:02x}{:02x}{:02x}".format(*actor.color),
            "drawn": numbers[id(actor.drawn)],
            "straight": numbers[id(actor.straight)],
            "face_mm": actor.face_mm,
            "lips_mm": _curve(actor.lips_mm, arrays),
            "opening_mm": _curve(actor.opening_mm, arrays),
        }
        for actor in show.actors
    ]
    return [_basis(distinct[number], arrays) for number in range(len(distinct))], tracks, actors


def _animations(subject: Subject, sequences: list[Sequence]) -> tuple[dict[int, Animation], dict[int, int]]:
    """Each motion, and the number of its basis, by the motion's ``id``: motions of parameters share the first."""
    animations, bases = {}, {}
    params = [one for one in sequences if isinstance(one, ParamSequence)]
    if params:
        together = animation_of(subject, _concatenated(params))
        starts = np.cumsum([0, *map(len, params)])
        for one, start in zip(params, starts, strict=False):
            basis = replace(together.basis, weights=together.basis.weights[start : start + len(one)])
            animations[id(one)] = Animation(basis, flame_joints(subject, one.params), together.skinning)
            bases[id(one)] = 0
    for other in sequences:
        if isinstance(other, VertexSequence):
            animations[id(other)] = animation_of(subject, other)
            bases[id(other)] = len(set(bases.values()))
    return animations, bases


def _concatenated(sequences: list[ParamSequence]) -> Sequence:
    """All frames of some motions, one after the other."""
    parts = [one.params for one in sequences]
    joined = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(FlameParams)}
    first = sequences[0]
    return ParamSequence(first.id, first.file, FlameParams(**joined), first.shape)


def _basis(animation: Animation, arrays: Arrays) -> dict[str, Any]:
    steps, reach = in_16_bits(animation.basis.displacements)
    return {
        "rest": arrays.add(animation.basis.rest.astype(np.float32)),
        "displacements": arrays.add(steps),
        "step": reach / np.iinfo(np.int16).max,
        "skinning": arrays.add(animation.skinning.astype(np.float32)),
    }


def _track(animation: Animation, basis: int, arrays: Arrays) -> dict[str, Any]:
    """Weights (T, K), and of each joint the rows (T, J, 3, 4) of what takes a resting vertex to where the joint takes it."""
    everything = slice(None)
    rotations, places = animation.joints.transforms(everything)
    offsets = places - (rotations @ animation.joints.bind[None, :, :, None])[..., 0]
    transforms = np.concatenate([rotations, offsets[..., None]], axis=3)
    return {
        "basis": basis,
        "weights": arrays.add(animation.basis.weights.astype(np.float32)),
        "transforms": arrays.add(transforms.astype(np.float32)),
    }


def _curve(values: Floats | None, arrays: Arrays) -> dict[str, Any] | None:
    return None if values is None else arrays.add(values.astype(np.float32))


def _head(scene: Scene, arrays: Arrays) -> dict[str, Any]:
    faces = np.concatenate([part.faces for part in scene.parts])
    starts = np.cumsum([0, *(len(part.faces) for part in scene.parts)])
    return {
        "faces": arrays.add(faces.astype(np.uint32)),
        "tints": arrays.add(scene.vertex_colors.astype(np.float32)),
        "parts": [
            {
                "name": part.name,
                "start": int(start),
                "count": len(part.faces),
                "color": _seen(part.material.color),
                "roughness": part.material.roughness,
                "double_sided": part.material.double_sided,
            }
            for part, start in zip(scene.parts, starts, strict=False)
        ],
        "lights": [{"towards": light.towards.tolist(), "color": light.color.tolist()} for light in scene.lights],
        "ambient": scene.ambient.tolist(),
    }


def _seen(color: Floats) -> list[float]:
    """A linear colour as it stands in our pictures, 0 to 1."""
    return [float(channel) for channel in color ** (1 / GAMMA)]


def _camera(show: Performance) -> dict[str, Any]:
    """Where the one camera starts, and what it looks at and turns around."""
    position = fixed_camera(show.subject).position
    return {
        "position": position.tolist(),
        "target": (position - [0, 0, DISTANCE]).tolist(),
        "view_degrees": math.degrees(2 * math.atan(0.5 / FOCAL_LENGTH)),
    }


def _sound(show: Performance, arrays: Arrays) -> dict[str, Any]:
    """The mix, and the waveforms of what it was mixed from.

    The mix is FLAC: every browser decodes it to the same samples, where compressed sound begins 20 to 50 ms late in some.
    """
    duration = len(show) / show.fps
    sources = {"vocals": show.sound.vocals, "bgm": show.sound.bgm}
    waves = {
        name: envelope(StoredFile.of(source), duration, _COLUMNS) for name, source in sources.items() if source is not None
    }
    loudest = max((float(np.abs(wave).max()) for wave in waves.values()), default=0.0) or 1.0
    with soundtrack(show.sound, duration) as track:
        if track is None:
            return {"sound": None, "waves": {}, "sound_notes": []}
        samples, rate = soundfile.read(track.path)
        notes = [f"{note[0].upper()}{note[1:]}." for note in track.notes]
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16")
    return {
        "sound": arrays.add(np.frombuffer(file.getvalue(), np.uint8)),
        "waves": {name: arrays.add(np.rint(127 * wave / loudest).astype(np.int8)) for name, wave in waves.items()},
        "sound_notes": notes,
    }
