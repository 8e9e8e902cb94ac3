"""Worker processes that each take one clip after another; one that dies takes only its own clip with it, which is named.

A pool of the standard library breaks as a whole when one process dies. Here each worker has a pipe of its own: what it was
doing is known, a new one takes its place, and a worker whose parent is gone finds its pipe closed and ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from singinghead.flame_model.errors import SingingHeadError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Done(Generic[Task, Outcome]):
    """A task that came to its end.

    Attributes:
        task: which.
        outcome: what came of it; None if nothing did.
        failure: why nothing did.
    """

    task: Task
    outcome: Outcome | None
    failure: str = ""


def n_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def run(work: Callable[[Task], Outcome], tasks: Sequence[Task], n_workers: int) -> Iterator[Done[Task, Outcome]]:
    """Work on tasks, in whatever order they end.

    Args:
        work: a function of a module, which a new process can import; may raise.
        tasks: what to work on; they and the outcomes are pickled.
        n_workers: processes, each of one thread; 0 works in this process.

    Yields:
        Each task once, done or failed.
    """
    if n_workers == 0:
        for task in tasks:
            yield _attempt(work, task)
        return
    waiting = list(reversed(tasks))
    workers = [_Worker(work) for _ in range(min(n_workers, len(tasks)))]
    try:
        for worker in workers:
            worker.begin(waiting.pop())
        while busy := {worker.pipe: worker for worker in workers if worker.task is not None}:
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]
                done = worker.finish()
                if not worker.is_alive and waiting:
                    workers[workers.index(worker)] = worker = _Worker(work)
                if waiting:
                    worker.begin(waiting.pop())
                yield done
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """One process, and what it is doing."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.task: Any = None
        self.is_alive = True
        self._process = context.Process(target=_serve, args=(work, theirs), daemon=True)
        with _one_thread():
            self._process.start()
        theirs.close()  # or its end would not be seen

    def begin(self, task: Any) -> None:
        self.task = task
        with contextlib.suppress(BrokenPipeError):  # it died while idle; finish() says so
            self.pipe.send(task)

    def finish(self) -> Done[Any, Any]:
        task, self.task = self.task, None
        try:
            done = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.is_alive = False
            self._process.join()
            return Done(task, None, f"its worker process {_how_it_ended(self._process.exitcode)}")
        assert isinstance(done, Done)
        return Done(task, done.outcome, done.failure)

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self.pipe.close()


def _serve(work: Callable[[Any], Any], pipe: Connection) -> None:
    """What a worker process does until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            pipe.send(_attempt(work, pipe.recv()))


def _attempt(work: Callable[[Any], Any], task: Any) -> Done[Any, Any]:
    try:
        return Done(task, work(task))
    except SingingHeadError as error:
        return Done(task, None, str(error))
    except Exception as error:  # one clip's riddle is not the end of the others
        return Done(task, None, f"{type(error).__name__}: {error}")


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (" (out of memory?)" if name == "SIGKILL" else "")
    return f"ended with exit code {code}"


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """A new process has one thread for each of its libraries: workers share the cores, and sums keep their order."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
