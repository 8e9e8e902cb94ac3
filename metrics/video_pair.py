"""A generated video beside the true one: PSNR, SSIM and LPIPS of frame after frame, as they go by or known from disk."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from singinghead.flame_model.arrays import Floats
from singinghead.flame_model.errors import InputError
from singinghead.metrics import stored_arrays
from singinghead.metrics.image_quality import Frame, mean_psnr, mean_squared_error, ssim, ssim_wang
from singinghead.metrics.instruments import Instruments, Measuring2D
from singinghead.metrics.measured_values import MeasuredValues
from singinghead.metrics.one_video import BATCH, OneVideo
from singinghead.metrics.results import INFINITE
from singinghead.metrics.video_reader import CLOCK_FPS

MAY_DIFFER_S = 0.1
"""How much longer one video may be than the other; it is cut."""

_ALL_IDENTICAL = f"{INFINITE}: every frame is identical to the true one"
_ASPECTS_MAY_DIFFER = 0.02
_ROUNDED_S = 0.002  # containers round times


class VideoPair:
    """Two videos under measurement.

    Args:
        video: the generated one.
        truth: the true one.
        measuring: how.
        instruments: with what.

    Attributes:
        video: the generated one.
        truth: the true one.

    Raises:
        InputError: their lengths or shapes differ too much.
    """

    def __init__(self, video: OneVideo, truth: OneVideo, measuring: Measuring2D, instruments: Instruments) -> None:
        self.video, self.truth = video, truth
        _check_alike(video, truth)
        self._seed, self._every = measuring.protocol == "seed", measuring.every
        self._lpips = instruments.perceptual
        self._no_lpips = instruments.lacking.get("perceptual", "")
        names = ["squared_errors", "ssim", *([] if self._seed else ["ssim_wang"]), *(["lpips"] if self._lpips else [])]
        version = instruments.versions.get("lpips_alex", "")
        seen = (video.content, truth.content, measuring.size, measuring.every, *names, version, self._seed)
        self._entry = stored_arrays.entry("pairs", *seen)
        self._stored = stored_arrays.load(self._entry, dict.fromkeys(names, (None,)))
        self._values: dict[str, list[float]] = {name: [] for name in names}
        self._batch: list[tuple[Frame, Frame]] = []

    @property
    def is_known(self) -> bool:
        """Whether no pair of frames need be looked at."""
        return self._stored is not None

    def update(self, frame: Frame, truth: Frame) -> None:
        """Take the next frame of both, (size, size, 3) uint8."""
        self._values["squared_errors"].append(mean_squared_error(frame, truth))
        self._values["ssim"].append(ssim(frame, truth))
        if not self._seed:
            self._values["ssim_wang"].append(ssim_wang(frame, truth))
        if self._lpips is not None:
            self._batch.append((frame, truth))
            if len(self._batch) == BATCH:
                self._see()

    def finish(self) -> None:
        """Note that both videos ended, and store what was measured."""
        if self._stored is None:
            self._see()
            self._stored = {name: np.array(values) for name, values in self._values.items()}
            stored_arrays.store(self._entry, self._stored)

    @property
    def n_frames(self) -> int:
        """Frames of 30 a second that both have."""
        return min(self.video.n_frames, self.truth.n_frames)

    def put(self, values: MeasuredValues) -> None:
        """Note the means over frames."""
        stored = self._known()
        psnr = mean_psnr(stored["squared_errors"].tolist())
        lpips = _mean(stored.get("lpips"))
        if self._seed:  # it averages infinity with the rest
            infinite = f"{INFINITE}: {psnr.n_identical} frames are identical to the true ones"
            values.put("PSNR", None if psnr.n_identical else psnr.db, infinite)
            values.put("SSIM", _mean(stored["ssim"]))
            values.put("LPIPS", lpips, self._no_lpips)
        else:
            values.put("psnr_db", psnr.db if math.isfinite(psnr.db) else None, _ALL_IDENTICAL)
            values.put("ssim", _mean(stored["ssim"]))
            values.put("ssim_wang", _mean(stored["ssim_wang"]))
            values.put("lpips_alex", lpips, self._no_lpips)

    def notes(self) -> tuple[str, ...]:
        """What was done to the generated video, or is odd about it."""
        facts, true_facts = self.video.facts, self.truth.facts
        longer = max(self.video.n_frames, self.truth.n_frames) - self.n_frames
        psnr = mean_psnr(self._known()["squared_errors"].tolist())
        some_identical = 0 < psnr.n_identical < len(self._known()["squared_errors"]) and not self._seed
        said = {
            f"cut to {self.n_frames} frames: ground truth and video differ by {longer}": longer > 0,
            f"has {facts.fps:.4g} frames a second, shown at {CLOCK_FPS}": round(facts.fps, 1) != CLOCK_FPS,
            f"is of {facts.width} x {facts.height}, the true one of {true_facts.width} x {true_facts.height}": (
                (facts.width, facts.height) != (true_facts.width, true_facts.height)
            ),
            "has no sound; beats are those of input_audio": not facts.has_sound,
            f"{psnr.n_identical} frames are identical to the true ones and not averaged in psnr_db; that of the mean "
            f"squared error of all is {psnr.pooled_db:.2f} dB": some_identical,
        }
        return tuple(note for note, holds in said.items() if holds)

    def _known(self) -> Mapping[str, Floats]:
        if self._stored is None:
            raise InputError("was not compared to its end", file=self.video.path)
        return self._stored

    def _see(self) -> None:
        if self._batch and self._lpips is not None:
            frames, truths = (np.stack(pictures) for pictures in zip(*self._batch, strict=True))
            self._values["lpips"] += self._lpips.distances(frames, truths, seed_range=self._seed).tolist()
        self._batch.clear()


def _check_alike(video: OneVideo, truth: OneVideo) -> None:
    lasts, true_lasts = video.facts.duration, truth.facts.duration
    if abs(lasts - true_lasts) > MAY_DIFFER_S + _ROUNDED_S:
        raise InputError(f"lasts {lasts:.2f} s, but the ground truth {true_lasts:.2f} s", file=video.path)
    aspect = (video.facts.width * truth.facts.height) / (video.facts.height * truth.facts.width)
    if abs(aspect - 1) > _ASPECTS_MAY_DIFFER:
        raise InputError(
            f"is of {video.facts.width} x {video.facts.height} pixels, which is another shape than the ground truth's "
            f"{truth.facts.width} x {truth.facts.height}",
            file=video.path,
        )


def _mean(values: Floats | None) -> float | None:
    return None if values is None or not len(values) else math.fsum(values) / len(values)
