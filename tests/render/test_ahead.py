"""Frames drawn ahead: in order, few at a time, and with whatever went wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from singinghead.flame_model.errors import InputError
from singinghead.render.ahead import drawn


def chunks(n_chunks: int = 5, n_frames: int = 4) -> Iterator[np.ndarray]:
    for chunk in range(n_chunks):
        first = chunk * n_frames
        yield np.arange(first, first + n_frames, dtype=np.float32)[:, None, None].repeat(3, axis=2)


def number(vertices: np.ndarray) -> np.ndarray:
    time.sleep(0.002 * (int(vertices[0, 0]) % 3))  # so that later frames are ready sooner
    return np.array([vertices[0, 0]], np.uint8)


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith(("draw", "motion"))}


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_frames_come_in_order(n_threads: int) -> None:
    assert [picture[0] for picture in drawn(number, chunks(), n_threads)] == list(range(20))
    assert not threads()


def test_frames_are_whatever_draw_takes() -> None:
    pairs = (zip(chunk, range(4), strict=True) for chunk in chunks())
    pictures = drawn(lambda pair: number(pair[0]) + np.uint8(50 * pair[1]), pairs, 2)
    assert [picture[0] for picture in pictures] == [n + 50 * (n % 4) for n in range(20)]


def test_few_are_drawn_ahead_of_who_takes_them() -> None:
    begun: list[int] = []

    def draw(vertices: np.ndarray) -> np.ndarray:
        begun.append(int(vertices[0, 0]))
        return number(vertices)

    with closing(drawn(draw, chunks(20), 2)) as pictures:
        for taken, _ in enumerate(pictures, start=1):
            time.sleep(0.001)
            assert len(begun) <= taken + 4


def test_one_thread_is_the_callers_own() -> None:
    """A GL context belongs to the thread that made it."""
    owners = [threading.current_thread()]
    list(drawn(lambda _vertices: owners.append(threading.current_thread()) or np.zeros(1, np.uint8), chunks(), 1))
    assert len(set(owners)) == 1


@pytest.mark.parametrize("n_threads", [1, 3])
def test_an_error_tells_the_frame(n_threads: int) -> None:
    def draw(vertices: np.ndarray) -> np.ndarray:
        if vertices[0, 0] == 7:
            raise InputError("hold NaN")
        return number(vertices)

    taken = []

    def take() -> None:
        for picture in drawn(draw, chunks(), n_threads):
            taken.append(picture[0])

    with pytest.raises(InputError, match="frame 7: hold NaN"):
        take()
    assert taken == list(range(7))
    assert not threads()


def test_an_error_of_another_kind_does_too() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(drawn(lambda vertices: 1 // int(vertices[0, 0] - 2) * vertices, chunks(), 2))  # type: ignore[arg-type]
    assert caught.value.__notes__ == ["while frame 2 was drawn"]


def test_an_error_of_the_motion_arrives() -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from chunks(2)
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        list(drawn(number, broken(), 2))
    assert not threads()


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_leaving_early_ends_the_threads(error: type[BaseException]) -> None:
    def take() -> None:
        with closing(drawn(number, chunks(1000), 2)) as pictures:
            for index, _ in enumerate(pictures):
                if index == 3:
                    raise error

    with pytest.raises(error):
        take()
    assert not threads()
