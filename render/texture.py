"""Pictures that colour a surface: read from a file, and as the pyramid of sizes from which both rasterizers take texels.

A texture is an ordinary sRGB picture. Its texels are made linear by the picture's gamma of 2.2, so that one of a constant
colour on a white material looks as :func:`~singinghead.render.scene.linear` of that colour does; they are filtered in
linear light. Both rasterizers read the same texels by OpenGL's rules: v points up, (0, 0) is the lower left corner of the
picture, which repeats in both directions; four texels are mixed in each of the two levels of the pyramid next to the size
of a pixel, and both levels (trilinear filtering).
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model import array_file
from singinghead.flame_model.errors import InputError
from singinghead.flame_model.shapes import as_array

GAMMA = 2.2
"""What encodes linear colours in a picture."""

MOST_PIXELS = 4096 * 4096
"""Of a texture: its pyramid then takes 270 MB."""

_ALBEDOS = {"mean": 255, "MU": 1}
"""Arrays of a mean albedo, and what is white in them."""

_FORMATS = ("PNG", "JPEG")
_DEEP_MODES = ("I", "F")
"""What Pillow calls pictures of more than 8 bits, which it would cut off."""


@dataclass(frozen=True, eq=False)
class Texture:
    """A picture to colour a surface with.

    Attributes:
        image: (H, W, 3) uint8 sRGB, the first row on top; any size of at most :data:`MOST_PIXELS`.
    """

    image: NDArray[np.uint8]

    def __post_init__(self) -> None:
        """Check the picture.

        Raises:
            InputError: it is none, or too large.
        """
        shape = self.image.shape
        if self.image.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or not self.image.size:
            raise InputError(f"a texture must be (H, W, 3) uint8; got {self.image.dtype} of shape {shape}")
        _check_size(shape[1], shape[0])

    @classmethod
    def read(cls, path: str | PathLike[str]) -> Texture:
        """Read a PNG or JPEG file, or the mean of an albedo model in FLAME's texture coordinates. Opacity is ignored.

        Of an ``.npz``, it is the array ``mean`` (FLAME's texture space, 0 to 255) or ``MU`` (albedo from BFM or AlbedoMM,
        0 to 1), (H, W, 3) with blue first, as DECA's ``FLAMETex`` reads them.

        Raises:
            InputError: the file is missing, is no such picture, is broken, too large, or has more than 8 bits a colour.
        """
        if os.fspath(path).lower().endswith(".npz"):
            return cls(_mean_albedo(Path(path)))
        from PIL import Image, UnidentifiedImageError

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the check of the size says it better
                with Image.open(path, formats=_FORMATS) as file:
                    _check_size(*file.size)
                    if file.mode.split(";")[0] in _DEEP_MODES:
                        raise InputError("more than 8 bits a colour", remedy="save it with 8")
                    return cls(np.asarray(file.convert("RGB")))
        except InputError as error:
            raise InputError(f"not usable as a texture: {error}", file=path) from None
        except FileNotFoundError:
            raise InputError("no such file", file=path) from None
        except Image.DecompressionBombError:
            raise InputError("not usable as a texture: far too large", file=path) from None
        except UnidentifiedImageError:
            raise InputError("not a picture", file=path, remedy="a texture is a PNG or JPEG file") from None
        # Pillow's decoders raise these for files that are cut off or broken.
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise InputError(f"not readable as a picture: {error}", file=path) from None

    @cached_property
    def levels(self) -> tuple[NDArray[np.float32], ...]:
        """Linear texels (H, W, 3): the picture's own size, then each half of the one before, rounded down, to 1 x 1."""
        by_value = ((np.arange(256) / 255) ** GAMMA).astype(np.float32)
        levels = [by_value[self.image]]
        while max(levels[-1].shape[:2]) > 1:
            levels.append(_halved(_halved(levels[-1]).swapaxes(0, 1)).swapaxes(0, 1))
        return tuple(np.ascontiguousarray(level) for level in levels)


def _mean_albedo(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) of an albedo model's file."""
    content = array_file.read(path, only=_ALBEDOS)
    name = next((name for name in _ALBEDOS if name in content), None)
    if name is None:
        raise InputError(f"holds no mean albedo: neither {' nor '.join(_ALBEDOS)}", file=path)
    mean = as_array(name, content[name], path)
    if mean.ndim != 3 or mean.shape[2] != 3 or mean.dtype.kind not in "fui" or not np.isfinite(mean).all():
        raise InputError(f"{name} is not (H, W, 3) finite numbers, but {mean.dtype} of shape {mean.shape}", file=path)
    levels = mean[..., ::-1].astype(np.float64) * (255 / _ALBEDOS[name])
    return np.asarray(np.clip(np.round(levels), 0, 255), np.uint8)


def _halved(texels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half as many rows, rounded down, each the mean of the texels that it covers; a single row is left as it is."""
    n = len(texels) // 2
    if n == 0:
        return texels
    if len(texels) % 2 == 0:
        return (texels[0::2] + texels[1::2]) / np.float32(2)
    # Each row covers 2 + 1 / n of those before: the whole of one, and shares of that above and below.
    below = np.arange(1, n + 1, dtype=np.float32)[:, None, None]
    above = np.float32(n + 1) - below
    total = above * texels[0:-1:2] + np.float32(n) * texels[1::2] + below * texels[2::2]
    halved: NDArray[np.float32] = total / np.float32(2 * n + 1)
    return halved


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        side = int(MOST_PIXELS**0.5)
        raise InputError(f"{width} x {height} pixels are too many", remedy=f"scale it down to {side} x {side} or less")
