"""Frames drawn ahead of whoever takes them: whole frames in parallel, in order, a bounded number at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing

import numpy as np
from numpy.typing import NDArray

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.params import Frames

Picture = NDArray[np.uint8]

_WAITING = 2
"""Finished frames that wait for an encoder which comes in fits and starts."""


def drawn(draw: Callable[[Frames], Picture], chunks: Iterable[Frames], threads: int = 1) -> Generator[Picture]:
    """Yield the pictures of chunks of vertices, in order. Threads draw and compute the next chunk meanwhile.

    Close the iterator (``contextlib.closing``) when leaving early: that ends the threads.

    Args:
        draw: makes a picture of (V, 3) vertices, in whatever thread; in the caller's own if there is to be one only.
        chunks: (T, V, 3) vertices, T free.
        threads: that draw.

    Raises:
        InputError: a frame cannot be drawn; the message says which. Other errors carry it as a note.
    """
    with ExitStack() as at_end:
        coming = at_end.enter_context(closing(_one_ahead(chunks)))
        frames = enumerate(vertices for chunk in coming for vertices in chunk)
        if threads == 1:
            for index, vertices in frames:
                yield _draw(draw, index, vertices)
            return
        pool = ThreadPoolExecutor(threads, thread_name_prefix="draw")
        at_end.callback(pool.shutdown, cancel_futures=True)
        pending: deque[Future[Picture]] = deque()
        for index, vertices in frames:
            pending.append(pool.submit(_draw, draw, index, vertices))
            if len(pending) == threads + _WAITING:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _one_ahead(chunks: Iterable[Frames]) -> Generator[Frames]:
    """Yield chunks while the next is computed in a thread."""
    source = iter(chunks)
    with ThreadPoolExecutor(1, thread_name_prefix="motion") as pool:
        coming = pool.submit(next, source, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, source, None)
            yield chunk


def _draw(draw: Callable[[Frames], Picture], index: int, vertices: Frames) -> Picture:
    try:
        return draw(vertices)
    except InputError as error:
        raise InputError(f"frame {index}: {error}") from None
    except Exception as error:
        error.add_note(f"while frame {index} was drawn")
        raise
