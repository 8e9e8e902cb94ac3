"""How near two sets of frames are as a whole, whatever stands beside what: the Fréchet distance and the kernel distance.

Conventions: features are (N, D), one row a frame, of :class:`~singinghead.metrics.inception.Inception`. Both are lower when
better; frames of one video are far from independent, so that the number of frames says little, and values compare only
between sets of about the same size and of the same clips.

* FID: M. Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NeurIPS 2017:
  the Fréchet distance of two Gaussians with the sets' means and sample covariances. Biased upwards by small sets: with fewer
  frames than features the covariance is singular.
* KID: M. Binkowski et al., "Demystifying MMD GANs", ICLR 2018: the unbiased squared MMD with the kernel (x·y / D + 1)³, mean
  over random subsets. Unbiased, and so below 0 about as often as above it for equal sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.shapes import check_shape

ENOUGH_FRAMES = 2048

Features = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True)
class FeatureStatistics:
    """All that FID asks of a set of frames, which grows no further with it.

    Statistics of single clips, added in one order, are the same to the last bit whichever process worked out which.

    Attributes:
        n: frames.
        mean: (D,) float64.
        scatter: (D, D) float64, the sum of the products of deviations from the mean.
    """

    n: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @classmethod
    def of(cls, features: Features) -> FeatureStatistics:
        """Of (N, D) features.

        Raises:
            InputError: another shape, no rows, NaN or infinity.
        """
        rows = _checked("features", features)
        mean = rows.mean(axis=0)
        deviations = rows - mean
        return cls(len(rows), mean, deviations.T @ deviations)

    def __add__(self, other: FeatureStatistics) -> FeatureStatistics:
        """Of both sets together (Chan, Golub and LeVeque 1979), without a loss of digits."""
        check_shape("mean", other.mean, len(self.mean))
        n = self.n + other.n
        step = other.mean - self.mean
        scatter = self.scatter + other.scatter + np.outer(step, step) * (self.n * other.n / n)
        return FeatureStatistics(n, self.mean + step * (other.n / n), scatter)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """(D, D), of a sample.

        Raises:
            InputError: there is only one frame.
        """
        if self.n < 2:
            raise InputError(f"{self.n} frame has no covariance", remedy="FID needs 2 at least, and thousands to mean much")
        return self.scatter / (self.n - 1)


def fid(generated: FeatureStatistics, truth: FeatureStatistics) -> float:
    """The Fréchet inception distance of two sets of frames.

    Raises:
        InputError: fewer than 2 frames in one of them.
    """
    return frechet_distance(generated.mean, generated.covariance, truth.mean, truth.covariance)


def frechet_distance(
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    other_mean: NDArray[np.float64],
    other_covariance: NDArray[np.float64],
) -> float:
    """The squared Fréchet (2-Wasserstein) distance of two Gaussians: ``|m - n|² + tr(A + B - 2 (A B)^½)``.

    The trace of the last term is the sum of the singular values of ``F' G``, for any factors ``A = F F'`` and ``B = G G'``.
    Unlike the usual square root of the product it is never complex, and exact for singular covariances too.

    Args:
        mean: (D,).
        covariance: (D, D), symmetric and positive semi-definite.
        other_mean: (D,).
        other_covariance: (D, D).

    Raises:
        InputError: the shapes do not fit, or NaN or infinity.
    """
    (size,) = check_shape("mean", mean, "D")
    check_shape("other mean", other_mean, size)
    for name, matrix in (("covariance", covariance), ("other covariance", other_covariance)):
        check_shape(name, matrix, size, size)
    if not all(np.isfinite(part).all() for part in (mean, covariance, other_mean, other_covariance)):
        raise InputError("means or covariances hold NaN or infinity")
    shared = np.linalg.svd(_factor(covariance).T @ _factor(other_covariance), compute_uv=False).sum()
    squared = np.sum((mean - other_mean) ** 2) + np.trace(covariance) + np.trace(other_covariance) - 2 * shared
    return max(float(squared), 0.0)  # rounding


def kid(generated: Features, truth: Features, n_subsets: int = 100, subset_size: int = 1000, seed: int = 0) -> float:
    """The kernel inception distance of two sets of frames: clean-fid's mean over random subsets, reproducible by its seed.

    Args:
        generated: (N, D) features, in memory or mapped from a file.
        truth: (M, D).
        n_subsets: pairs of subsets, each drawn without replacement.
        subset_size: frames in each; as many as the smaller set has, where those are fewer.
        seed: of the draws.

    Raises:
        InputError: fewer than 2 frames in one of them, other shapes, NaN or infinity.
    """
    _, size = check_shape("generated", generated, "N", "D")
    check_shape("truth", truth, "M", size)
    n = min(len(generated), len(truth), subset_size)
    if n < 2:
        raise InputError(f"KID needs 2 frames of each at least; got {len(generated)} and {len(truth)}")
    if n_subsets < 1:
        raise InputError(f"{n_subsets} subsets: at least 1")
    if n == len(generated) == len(truth):
        n_subsets = 1  # they would all be the whole sets
    draw = np.random.default_rng(seed)
    distances = [
        _squared_mmd(
            _checked("generated", generated[draw.choice(len(generated), n, replace=False)]),
            _checked("truth", truth[draw.choice(len(truth), n, replace=False)]),
        )
        for _ in range(n_subsets)
    ]
    return float(np.mean(distances))


def few_frames(n_generated: int, n_truth: int) -> str | None:
    """A warning for sets that are too small for FID to mean much; None for large ones."""
    if min(n_generated, n_truth) >= ENOUGH_FRAMES:
        return None
    return (
        f"FID from {n_generated} generated and {n_truth} true frames: with fewer than {ENOUGH_FRAMES} of each its "
        "covariance is singular and its value too high; compare only methods with the same clips"
    )


def _squared_mmd(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    n = len(x)
    pairs = sum(kernel.sum() - np.trace(kernel) for kernel in (_kernel(x, x), _kernel(y, y))) / (n * (n - 1))
    return float(pairs - 2 * np.mean(_kernel(x, y)))


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    base = x @ y.T / x.shape[1] + 1
    cubed: NDArray[np.float64] = base * base * base
    return cubed


def _factor(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """(D, rank) from (D, D): few frames have few columns."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > values.max(initial=0) * len(matrix) * np.finfo(np.float64).eps
    factor: NDArray[np.float64] = vectors[:, kept] * np.sqrt(values[kept])
    return factor


def _checked(name: str, features: Features) -> NDArray[np.float64]:
    check_shape(name, features, "N", "D")
    rows = np.asarray(features, np.float64)
    if not len(rows) or not np.isfinite(rows).all():
        raise InputError(f"{name} {'hold NaN or infinity' if len(rows) else 'has no rows'}")
    return rows
