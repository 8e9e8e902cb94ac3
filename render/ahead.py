"""Frames drawn ahead of whoever takes them: whole frames in parallel, in order, a bounded number at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError

Picture = NDArray[np.uint8]
Frame = TypeVar("Frame")

_WAITING = 2
"""Finished frames that wait for an encoder which comes in fits and starts."""


def drawn(draw: Callable[[Frame], Picture], chunks: Iterable[Iterable[Frame]], threads: int = 1) -> Generator[Picture]:
    """Yield the pictures of chunks of frames, in order. Threads draw and compute the next chunk meanwhile.

    Close the iterator (``contextlib.closing``) when leaving early: that ends the threads.

    Args:
        draw: makes a picture of a frame, in whatever thread; in the caller's own if there is to be one only.
        chunks: of frames: an array (T, V, 3) of vertices, or whatever else ``draw`` takes one by one, such as the pairs
            ``zip(vertices, colors)``.
        threads: that draw.

    Raises:
        InputError: a frame cannot be drawn; the message says which. Other errors carry it as a note.
    """
    with ExitStack() as at_end:
        coming = at_end.enter_context(closing(_one_ahead(chunks)))
        frames = enumerate(frame for chunk in coming for frame in chunk)
        if threads == 1:
            for index, frame in frames:
                yield _draw(draw, index, frame)
            return
        pool = ThreadPoolExecutor(threads, thread_name_prefix="draw")
        at_end.callback(pool.shutdown, cancel_futures=True)
        pending: deque[Future[Picture]] = deque()
        for index, frame in frames:
            pending.append(pool.submit(_draw, draw, index, frame))
            if len(pending) == threads + _WAITING:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _one_ahead(chunks: Iterable[Iterable[Frame]]) -> Generator[Iterable[Frame]]:
    """Yield chunks while the next is computed in a thread."""
    source = iter(chunks)
    with ThreadPoolExecutor(1, thread_name_prefix="motion") as pool:
        coming = pool.submit(next, source, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, source, None)
            yield chunk


def _draw(draw: Callable[[Frame], Picture], index: int, frame: Frame) -> Picture:
    try:
        return draw(frame)
    except InputError as error:
        raise InputError(f"frame {index}: {error}") from None
    except Exception as error:
        error.add_note(f"while frame {index} was drawn")
        raise
