"""A Dask cluster in place of this machine's cores, through joblib's own interface.

Units travel inside their tasks, never scattered: what is scattered lies on one worker and is lost with it, while the
scheduler gives the tasks of a lost worker to another one. A bounded number of units is under way at a time, and a
result leaves the cluster as soon as it has come back.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glottis._errors import ClusterError
from glottis._optional import require
from glottis.study.versions import all_versions

CONNECT_SECONDS = 10.0
WORKER_SECONDS = 60.0
AHEAD_UNITS = 256
"""Units that may wait at the scheduler beyond two a core, so that workers which join later have work at once."""
AHEAD_BYTES = 64 * 2**20

_CLIENT: ContextVar[Any] = ContextVar("client", default=None)


@contextmanager
def on_cluster(address: str | None, *, seen: Path | None = None) -> Iterator[None]:
    """Within it, ``map_units`` puts its units on the Dask cluster at ``address``.

    Args:
        address: the scheduler's, ``tcp://HOST:PORT``; ``None`` stays on this machine.
        seen: a file that every worker must see, because workers read and write the same paths as this process.

    Raises:
        MissingExtraError: ``distributed`` is not installed.
        ClusterError: no scheduler or no worker answers, or a worker has other versions or other files.
    """
    if address is None:
        yield
        return
    with _quiet(), _connect(require("distributed", extra="dask"), address) as client:
        _await_worker(client, address)
        _compare(client, seen)
        token = _CLIENT.set(client)
        try:
            yield
        finally:
            _CLIENT.reset(token)


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave it to our own sentences to say what is wrong; a large table in a unit is meant to be there."""
    require("distributed", extra="dask")  # which sets the levels of its loggers as it is imported
    loggers = [logging.getLogger(name) for name in ("distributed.client", "tornado.application")]
    levels = [logger.level for logger in loggers]
    with require("dask", extra="dask").config.set({"distributed.admin.large-graph-warning-threshold": AHEAD_BYTES}):
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def current_client() -> Any:
    """The client of the cluster that is in use; ``None`` on this machine."""
    return _CLIENT.get()


def finished_on(client: Any, function: Callable[[Any], Any], units: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """Number and result of every unit, as the workers of the cluster finish them.

    Raises:
        ClusterError: the scheduler is lost, or one unit has ended several workers.
    """
    from joblib import Parallel, delayed

    pool = Parallel(
        backend=_backend(client),
        batch_size=1,
        pre_dispatch=f"2*n_jobs+{_ahead(units)}",
        return_as="generator_unordered",
    )
    calls = (delayed(_Unit(number, function, unit))() for number, unit in enumerate(units))
    try:
        yield from pool(calls)
    except CancelledError as error:
        address = client.scheduler.address
        message = f"The scheduler at {address} is gone: start it again; the same command goes on where it was."
        raise ClusterError(message) from error
    except require("distributed", extra="dask").KilledWorker as error:
        message = f"One unit of work ended several workers ({error}): give each worker more memory, and see its log."
        raise ClusterError(message) from error


@dataclass(frozen=True, eq=False)  # hashed by identity, as joblib counts the functions of a batch
class _Unit:
    """One unit on its way to a worker. It holds its arguments, because joblib scatters large arguments of a call."""

    number: int
    function: Callable[[Any], Any]
    unit: Any

    def __repr__(self) -> str:
        """The function's name, which becomes that of the task: the scheduler keeps every new name for good."""
        return str(getattr(self.function, "__name__", "unit"))

    def __call__(self) -> tuple[int, Any]:
        """Work under one thread; the limits stay, as another thread of this worker may be at work."""
        import SimpleITK as sitk
        from joblib import parallel_config
        from threadpoolctl import threadpool_limits

        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        threadpool_limits(limits=1)
        with parallel_config(backend="sequential"):  # an estimator inside must not send its own work to the cluster
            return self.number, self.function(self.unit)


def _backend(client: Any) -> Any:
    """The Dask backend of joblib, mended: it uses a cluster of one core, and hears of tasks that failed as a whole."""
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]  # joblib has no types
        def effective_n_jobs(self, n_jobs: int = 1) -> int:
            """At least 2: where joblib hears of one core it works in this process and leaves the cluster alone."""
            return max(2, int(super().effective_n_jobs(n_jobs)))

        def submit(self, func: Any, callback: Any = None) -> Any:
            """Report a task that ended its workers: joblib calls back after a result only, and would wait for ever."""
            future = super().submit(func, callback)
            future.add_done_callback(lambda done: callback(done.exception()) if done.exception() else None)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            """The result of a task, or what went wrong with it as a whole."""
            if isinstance(out, BaseException):
                raise out
            return super().retrieve_result_callback(out)

    return Backend(client=client)


def _ahead(units: Sequence[Any]) -> int:
    """How many units may wait at the scheduler, by their size on the wire."""
    size = max((len(pickle.dumps(unit)) for unit in (*units[:1], *units[-1:])), default=1)
    return min(AHEAD_UNITS, AHEAD_BYTES // size)


def _connect(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        message = (
            f"No Dask scheduler answers at '{address}' within {CONNECT_SECONDS:g} s: start one with  dask scheduler  "
            "and give the address that it prints (tcp://HOST:PORT)."
        )
        raise ClusterError(message) from error


def _await_worker(client: Any, address: str) -> None:
    """Ask for something small, so that a cluster that grows on demand starts a worker."""
    try:
        client.submit(int, pure=False).result(timeout=WORKER_SECONDS)
    except TimeoutError as error:
        message = (
            f"The scheduler at '{address}' has no worker after {WORKER_SECONDS:g} s: start some with  "
            f"dask worker {address} --nthreads 1"
        )
        raise ClusterError(message) from error


def _compare(client: Any, seen: Path | None) -> None:
    """Refuse workers that would give other values, or that look at other files."""
    ours = _state(seen)
    for worker, theirs in client.run(_state, seen, on_error="return").items():
        if isinstance(theirs, Exception):
            message = (
                f"Worker {worker} cannot load glottis {ours['glottis']} ({theirs}): install it there as it is here."
            )
            raise ClusterError(message)
        for name, version in ours.items():
            if theirs.get(name) != version:
                raise ClusterError(_difference(worker, name, version, theirs.get(name)))


def _difference(worker: str, name: str, ours: str, theirs: str | None) -> str:
    if name.startswith("file "):
        return f"Worker {worker} does not see {name}: workers need the same files under the same paths (a shared disk)."
    return (
        f"Worker {worker} has {name} {theirs} and this command has {ours}: install the same versions on every worker, "
        "so that values do not depend on who computes them."
    )


def _state(seen: Path | None) -> dict[str, str]:
    """What must be the same in this process and on every worker."""
    return all_versions() | ({} if seen is None else {f"file '{seen}'": str(seen.exists())})
