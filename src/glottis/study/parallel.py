"""Independent work on several cores, one thread a worker, in an order that never matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

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
        jobs: worker processes on this machine; 1 stays in this process. A cluster has its own number of workers.
        stage: the stage's name for ``progress``.
        progress: told after every unit.
    """
    results: list[Any] = [None] * len(units)
    progress(stage, 0, len(units))
    client = current_client()
    finished = _finished_here(function, units, jobs) if client is None else finished_on(client, function, units)
    for done, (number, result) in enumerate(finished, start=1):
        results[number] = result
        progress(stage, done, len(units))
    return results


def _finished_here(function: Callable[[Any], Any], units: Sequence[Any], jobs: int) -> Iterator[tuple[int, Any]]:
    calls = (delayed(_numbered)(function, number, unit) for number, unit in enumerate(units))
    finished: Iterator[tuple[int, Any]] = Parallel(min(jobs, len(units)) or 1, return_as="generator_unordered")(calls)
    return finished


def _numbered(function: Callable[[Any], Any], number: int, unit: Any) -> tuple[int, Any]:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    with threadpool_limits(limits=1):
        return number, function(unit)
