"""The processes that make clips: our own on this machine, or those of a Dask cluster that exists."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from singinghead.flame_model.errors import InputError, UnavailableError

if TYPE_CHECKING:
    from distributed import Client

_MEMORY_A_WORKER = 1_500_000_000
"""Bytes to count on for one worker and its encoder at 1024²: about twice what was measured."""

_LOST_WORKERS = 2
"""How often a clip that its worker died of is given to another."""

_CONNECT_S = 10


def default_workers() -> int:
    """One a core, as far as memory goes."""
    room = int(psutil.virtual_memory().available // _MEMORY_A_WORKER)
    return max(1, min(n_cores(), room))


def n_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


@contextlib.contextmanager
def local_workers(n_workers: int, scratch: Path) -> Iterator[Client]:
    """Processes of our own, reached through the loopback interface alone.

    They end with this process, however it ends; if the block is left by an exception, at once, with their encoders.

    Args:
        n_workers: how many.
        scratch: a folder for what they need on disk.

    Raises:
        InputError: there are to be none.
    """
    if n_workers < 1:
        raise InputError(f"--workers {n_workers}: at least one is needed")
    import dask
    from distributed import Client, LocalCluster

    settings = {
        "distributed.scheduler.allowed-failures": _LOST_WORKERS,
        "distributed.scheduler.work-stealing": False,
        "distributed.logging": {"distributed": "critical"},
        "temporary-directory": str(scratch),  # the scheduler's, too
    }
    with dask.config.set(settings), _quiet("distributed", "tornado.application", "asyncio"):
        cluster = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # there is none, but something listens, and not on a port that may be taken
            scheduler_kwargs={"dashboard": False},
            memory_limit=0,  # no guard that pauses and kills by its own notion of too much
            silence_logs=logging.CRITICAL,
            preload=[__name__],
        )
        try:
            with Client(cluster) as client:
                yield client
        except BaseException:
            _kill_at_once(cluster)
            raise
        finally:
            cluster.close(timeout=10)


@contextlib.contextmanager
def cluster_workers(address: str) -> Iterator[Client]:
    """The workers of a cluster that exists.

    Args:
        address: of its scheduler, ``tcp://HOST:PORT``.

    Raises:
        UnavailableError: no scheduler answers there.
    """
    from distributed import Client

    with _quiet("distributed", "tornado.application", "asyncio"):
        try:
            client = Client(address, timeout=_CONNECT_S)
        except (OSError, ValueError, TimeoutError) as error:
            raise UnavailableError(
                f"no Dask scheduler answers at {address}: {error or type(error).__name__}", remedy="--dask tcp://HOST:PORT"
            ) from error
        with client:
            yield client


def dask_setup(_worker: Any) -> None:
    """Prepare a local worker; Dask calls this as it starts.

    Ctrl-C reaches the whole terminal group, and it is the run's own process that is to act on it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _kill_at_once(cluster: Any) -> None:
    """End workers and encoders without a farewell: a clip that is being made is worth nothing, and made again."""
    doomed = []
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
        with contextlib.suppress(psutil.Error, AttributeError, TypeError):  # not started, or ended
            worker = psutil.Process(nanny.pid)
            doomed += [worker, *worker.children(recursive=True)]
    for process in doomed:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(doomed, timeout=5)


@contextlib.contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Keep libraries' words about connections that come and go from the user."""
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
