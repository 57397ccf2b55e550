"""Independent work on several cores, one thread a worker, in an order that never matters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

from glottis.study.cluster import current_client, finished_on

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, its finished units and their total."""


ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
IDLE_SECONDS = 300
"""A worker process that had nothing to do for so long ends."""


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""


def map_units(
    function: Callable[[Any], Any], units: Sequence[Any], *, jobs: int, stage: str, progress: Progress = silent
) -> list[Any]:
    """Apply ``function`` to every unit and give the results in the order of ``units``.

    Inside :func:`glottis.study.cluster.on_cluster` the units go to the workers of that cluster.

    Args:
        function: a top-level function, so that it can travel to a worker process.
        units: what to work on.
        jobs: processes on this machine, this one included. A cluster has its own number of workers.
        stage: the stage's name for ``progress``.
        progress: told after every unit.
    """
    results: list[Any] = [None] * len(units)
    progress(stage, 0, len(units))
    client = current_client()
    finished = _finished_here(function, units, jobs) if client is None else finished_on(client, function, units)
    with _restored_threads():
        for done, (number, result) in enumerate(finished, start=1):
            results[number] = result
            progress(stage, done, len(units))
    return results


def workers(jobs: int) -> int:
    """How many units ``map_units`` works on at a time, at least 1.

    Args:
        jobs: processes on this machine. A cluster has its own number of workers.
    """
    client = current_client()
    return max(1, jobs if client is None else sum(client.ncores().values()))


def _finished_here(function: Callable[[Any], Any], units: Sequence[Any], jobs: int) -> Iterator[tuple[int, Any]]:
    if min(jobs, len(units)) > 1:
        return _Shared(function, units).finished(min(jobs, len(units)))
    return (_numbered(function, number, unit) for number, unit in enumerate(units))


class _Shared:
    """Units that this process and its worker processes take from one list.

    Workers need a second to start, in which this process is at work already; it goes on beside them, in a thread, so
    that results of workers are heard of as they come.
    """

    def __init__(self, function: Callable[[Any], Any], units: Sequence[Any]) -> None:
        self.function = function
        self.n_units = len(units)
        self._heard: SimpleQueue[tuple[int, Any] | BaseException] = SimpleQueue()
        self._left: Iterator[tuple[int, Any]] = iter(enumerate(units))
        self._lock = Lock()

    def finished(self, processes: int) -> Iterator[tuple[int, Any]]:
        """Number and result of every unit, as they are finished."""
        from joblib.externals.loky import get_reusable_executor

        workers = processes - 1
        executor = get_reusable_executor(max_workers=workers, timeout=IDLE_SECONDS, env=ONE_THREAD)
        try:
            for _ in range(2 * workers):
                self._submit(executor)
            Thread(target=self._work, daemon=True).start()
            for _ in range(self.n_units):
                item = self._heard.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._left = iter(())

    def _work(self) -> None:
        """Work here."""
        try:
            while (item := self._next()) is not None:
                self._heard.put(_numbered(self.function, *item))
        except BaseException as error:  # raised again in the thread that waits for results
            self._heard.put(error)

    def _submit(self, executor: Any) -> None:
        """Give the next unit to a worker, and one more when it is done."""
        item = self._next()
        if item is not None:
            future = executor.submit(_numbered, self.function, *item)
            future.add_done_callback(lambda done: self._hear(done, executor))

    def _hear(self, done: Any, executor: Any) -> None:
        try:
            self._heard.put(done.result())
            self._submit(executor)
        except BaseException as error:  # likewise
            self._heard.put(error)

    def _next(self) -> tuple[int, Any] | None:
        with self._lock:
            return next(self._left, None)


def _numbered(function: Callable[[Any], Any], number: int, unit: Any) -> tuple[int, Any]:
    _ONE_THREAD.keep()
    return number, function(unit)


class _OneThread:
    """Leave one thread to every library of this process, since cores are for processes."""

    def __init__(self) -> None:
        self._modules = 0

    def keep(self) -> None:
        """Limit the libraries that are loaded; looked at again only where more modules have been imported."""
        import SimpleITK as sitk

        if len(sys.modules) != self._modules:
            from threadpoolctl import threadpool_limits

            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
            threadpool_limits(limits=1)
            self._modules = len(sys.modules)

    def forget(self) -> None:
        """Limit again at the next unit."""
        self._modules = 0


_ONE_THREAD = _OneThread()


@contextmanager
def _restored_threads() -> Iterator[None]:
    """Give back afterwards the threads that the libraries of this process had."""
    import SimpleITK as sitk
    from threadpoolctl import threadpool_limits

    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    _ONE_THREAD.forget()
    try:
        with threadpool_limits(limits=1):
            yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
