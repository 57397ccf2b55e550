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
        self.heard: SimpleQueue[tuple[int, Any] | BaseException | None] = SimpleQueue()
        self._left: Iterator[tuple[int, Any]] = iter(enumerate(units))
        self._lock = Lock()

    def finished(self, processes: int) -> Iterator[tuple[int, Any]]:
        """Number and result of every unit, as they are finished."""
        threads = [Thread(target=self._listen, args=(processes - 1,), daemon=True)]
        threads.append(Thread(target=self._work, daemon=True))
        for thread in threads:
            thread.start()
        ended = 0
        try:
            while ended < len(threads):
                item = self.heard.get()
                if item is None:
                    ended += 1
                elif isinstance(item, BaseException):
                    raise item
                else:
                    yield item
        finally:
            self._left = iter(())

    def _work(self) -> None:
        """Work here."""
        self._hear(_numbered(self.function, number, unit) for number, unit in self._taken())

    def _listen(self, workers: int) -> None:
        """Let worker processes work, and pass on what they give."""
        from joblib import Parallel, delayed, parallel_config

        calls = (delayed(_numbered)(self.function, number, unit) for number, unit in self._taken())
        with parallel_config(backend="loky", inner_max_num_threads=1):
            pool = Parallel(workers, batch_size=1, pre_dispatch="2*n_jobs", return_as="generator_unordered")
            self._hear(pool(calls))

    def _hear(self, results: Iterator[tuple[int, Any]]) -> None:
        try:
            for item in results:
                self.heard.put(item)
        except BaseException as error:  # raised again in the thread that waits for results
            self.heard.put(error)
        self.heard.put(None)

    def _taken(self) -> Iterator[tuple[int, Any]]:
        while True:
            with self._lock:
                item = next(self._left, None)
            if item is None:
                return
            yield item


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
