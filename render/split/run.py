"""Hand the clips of a plan out to workers, one each at a time, and say what becomes of them."""

from __future__ import annotations

import heapq
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from singinghead.flame_model.errors import SingingHeadError, UnavailableError
from singinghead.render.split import plan
from singinghead.render.split.job import SplitJob
from singinghead.render.split.one_clip import Outcome, make_clip, record_death

if TYPE_CHECKING:
    from distributed import Client, Future

logger = logging.getLogger(__name__)

_BUSY_S = 1.0
"""After how long a clip that another run holds is looked at again."""

_PATIENCE_S = 60.0
"""After how long without a worker the user hears of it."""

_TICK_S = 0.5


class DiskFullError(SingingHeadError):
    """There is no room for the videos: the run has stopped, and goes on where it was when it is started again."""


@dataclass(order=True)
class _Turn:
    """A clip that waits: not before ``due``, in the split's order."""

    due: float
    index: int
    clip_id: str = field(compare=False)
    attempt: int = field(compare=False, default=1)


def run(job: SplitJob, todo: Mapping[str, plan.Seen], client: Client, retries: int) -> Iterator[Outcome]:
    """Make clips.

    No worker is given a clip before it has finished another: Dask counts a worker's death against all it was given.

    Args:
        job: what all clips have in common.
        todo: the clips.
        client: whose workers make them.
        retries: how often a clip that failed, for a reason that may pass, is tried again.

    Yields:
        What became of each clip at last: ``made``, ``found`` or ``failed``.

    Raises:
        DiskFullError: there is no room left.
        UnavailableError: the cluster went away.
    """
    waiting = [_Turn(0.0, index, clip_id) for index, clip_id in enumerate(todo)]
    making: dict[Future[Any], _Turn] = {}
    alone_since = time.monotonic()
    while waiting or making:
        room = _n_workers(client)
        if room:
            alone_since = time.monotonic()
        elif time.monotonic() - alone_since > _PATIENCE_S:
            logger.warning("the cluster has had no worker for %.0f s; waiting", _PATIENCE_S)
            alone_since = time.monotonic()
        while waiting and len(making) < max(room, 1) and waiting[0].due <= time.monotonic():
            turn = heapq.heappop(waiting)
            seen = todo[turn.clip_id]
            making[client.submit(make_clip, job, turn.clip_id, seen, turn.attempt, pure=False, retries=0)] = turn
        for future in _finished(making):
            turn = making.pop(future)
            outcome = _outcome(job, turn, future)
            if outcome.kind == "full":
                raise DiskFullError(
                    f"the disk is full: {outcome.words}", file=job.out, remedy="make room and run the same command again"
                )
            if outcome.kind == "busy":
                heapq.heappush(waiting, _Turn(time.monotonic() + _BUSY_S, turn.index, turn.clip_id, turn.attempt))
            elif outcome.kind == "failed" and outcome.may_pass and turn.attempt <= retries:
                heapq.heappush(waiting, _Turn(0.0, turn.index, turn.clip_id, turn.attempt + 1))
            else:
                yield outcome


def _n_workers(client: Client) -> int:
    try:
        return len(client.nthreads())
    except (OSError, TimeoutError, ValueError) as error:
        raise UnavailableError(f"the Dask scheduler has gone: {error}") from error


def _finished(making: Mapping[Future[Any], Any]) -> list[Future[Any]]:
    """Those that are ready, after a moment's wait for the first."""
    from distributed import wait

    if not making:
        time.sleep(_TICK_S)
        return []
    try:
        return list(wait(list(making), timeout=_TICK_S, return_when="FIRST_COMPLETED").done)
    except TimeoutError:
        return []


def _outcome(job: SplitJob, turn: _Turn, future: Future[Any]) -> Outcome:
    from distributed import KilledWorker

    if future.status in ("cancelled", "lost"):
        raise UnavailableError("the Dask scheduler has gone, and the clips that it was given with it")
    try:
        outcome: Outcome = future.result()
        return outcome
    except KilledWorker as death:
        words = f"the worker died of it, {death.allowed_failures + 1} times"
        return Outcome("failed", record_death(job, turn.clip_id, turn.attempt, words))
    # What a worker could not even begin: its singinghead is another one, or is not there.
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome("failed", record_death(job, turn.clip_id, turn.attempt, words))
