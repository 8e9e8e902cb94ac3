"""From named morphs to orthogonal components of unit variance, as FLAME's are."""

from __future__ import annotations

import numpy as np

from singinghead.flame_model.arrays import Floats

# Standard deviation of each expression unit's activation (0 at rest, 1 at its full extent), and the correlation of a
# unit with its mirror image. Judged by eye: random codes of deviation 1 then stay within what a face can do, and real
# FLAME codes, whose largest coefficients reach 5, do not tear it. MakeHuman's units repeat many of ARKit's, and count
# less so that the 50 components render ARKit's well.
ARKIT_SPREAD = 0.15
MAKEHUMAN_SPREAD = 0.08
MIRROR_CORRELATION = 0.9
# ARKit's mouthClose shuts the lips of a wide open jaw, and alone it lifts the lower lip to the nose.
SPREADS = {"mouthClose": 0.03}
_TELLING_COSINE = 0.03
_EQUALLY_LARGE = 1 - 1e-6


def expression_spread(units: tuple[str, ...]) -> Floats:
    """(U, U) symmetric square root of the covariance of the units' activations: faces move mostly symmetrically."""
    usual = {name: MAKEHUMAN_SPREAD if "_" in name else ARKIT_SPREAD for name in units}
    deviations = np.array([SPREADS.get(name, deviation) for name, deviation in usual.items()])
    correlation = np.eye(len(units))
    for index, name in enumerate(units):
        twin = name.replace("Left", "Right").replace("_left", "_right")
        if twin != name:
            other = units.index(twin)
            correlation[index, other] = correlation[other, index] = MIRROR_CORRELATION
    variances, axes = np.linalg.eigh(correlation * np.outer(deviations, deviations))
    return np.asarray((axes * np.sqrt(variances)) @ axes.T)


def components(
    displacements: Floats, spread: Floats, n_components: int, upwards: Floats | None = None
) -> tuple[Floats, Floats]:
    """Orthogonal components of faces that blend morphs with normally distributed activations of mean 0.

    The second moment of such faces is (CD)ᵀCD. It is not centred: its components then pass through the neutral face,
    and each morph is a combination of them.

    Args:
        displacements: (U, 3V) D, of each morph at activation 1.
        spread: (U, U) C, the symmetric square root of the activations' covariance.
        n_components: how many to keep, largest first.
        upwards: (3V,) a displacement that positive coefficients go along with rather than against. The sign of a
            component is arbitrary; where this does not tell, its largest morph counts positive, the first of several.

    Returns:
        (V, 3, n) displacement at one standard deviation of each component; (U, n) coefficients of each morph.
    """
    # The singular value decomposition of CD, by way of its small Gram matrix.
    faces = spread @ displacements
    squares, left = np.linalg.eigh(faces @ faces.T)
    left, scales = left[:, : -n_components - 1 : -1], np.sqrt(squares[: -n_components - 1 : -1])
    right = left.T @ faces / scales[:, None]
    # Morphs that mirror each other are equally large but for rounding, which goes with the number of threads.
    first = (np.abs(left) > _EQUALLY_LARGE * np.abs(left).max(axis=0)).argmax(axis=0)
    signs = np.sign(left[first, np.arange(n_components)])
    if upwards is not None:
        cosines = right @ upwards / np.linalg.norm(upwards)
        signs = np.where(np.abs(cosines) > _TELLING_COSINE, np.sign(cosines), signs)
    return (signs * scales * right.T).reshape(-1, 3, n_components), np.linalg.solve(spread, left * signs)
