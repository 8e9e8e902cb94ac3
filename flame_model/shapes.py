"""One shape checker that names the argument and returns its free sizes (after ``vg.shape.check``)."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError


def check_shape(name: str, array: Any, *shape: int | str) -> tuple[int, ...]:
    """Check an array's shape and return the sizes of its named axes, in order.

    Args:
        name: the argument's name, for the message.
        array: anything with a ``shape``, or ``None``.
        shape: one entry an axis: an integer is required exactly, a string names a free axis.

    Raises:
        InputError: ``expression must have shape (T, 50); got (240, 51)``.

    >>> check_shape("jaw", np.zeros((240, 3)), "T", 3)
    (240,)
    """
    got: tuple[int, ...] = tuple(getattr(array, "shape", ()))
    if len(got) != len(shape) or any(isinstance(want, int) and want != size for want, size in zip(shape, got, strict=True)):
        wanted = ", ".join(str(axis) for axis in shape) + ("," if len(shape) == 1 else "")
        raise InputError(f"{name} must have shape ({wanted}); got {got if hasattr(array, 'shape') else 'nothing'}")
    return tuple(int(size) for want, size in zip(shape, got, strict=True) if isinstance(want, str))


def as_array(name: str, value: Any, file: str | PathLike[str] | None = None) -> NDArray[Any]:
    """``numpy.asarray`` that names the argument.

    Raises:
        InputError: ``expcodes is not an array``; its rows differ in length, or it nests too deeply.
    """
    try:
        return np.asarray(value)
    except ValueError:
        raise InputError(f"{name} is not an array", file=file) from None
