"""A Dask cluster of processes on this machine, and work for it that a worker can import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TIMEOUT = 60.0


@dataclass
class DaskProcesses:
    """A scheduler and its workers, each a process without a nanny, so that a killed worker stays dead."""

    folder: Path
    environment: dict[str, str]
    address: str = ""
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, workers: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "scheduler.json"
        self.scheduler = self._process("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        self.address = _address(file)
        self.workers = [
            self._process(
                "worker", self.address, "--nthreads", "1", "--no-nanny", "--local-directory", str(self.folder)
            )
            for _ in range(workers)
        ]

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                process.kill()
                process.wait()

    def _process(self, role: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{role}", *arguments, "--no-dashboard"]
        environment = {**os.environ, **self.environment}
        log = subprocess.DEVNULL
        return subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=log)


@contextmanager
def dask_processes(folder: Path, *, workers: int = 2, sitecustomize: str = "") -> Iterator[DaskProcesses]:
    """A scheduler on a free port of loopback with its workers; ``sitecustomize`` is run as each of them starts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(sitecustomize)
    path = os.pathsep.join([str(folder), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    processes = DaskProcesses(folder, {"PYTHONPATH": path.rstrip(os.pathsep)})
    try:
        processes.start(workers)
        _await_workers(processes.address, workers)
        yield processes
    finally:
        processes.stop()


def _address(file: Path) -> str:
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        try:
            return str(json.loads(file.read_text())["address"])
        except (OSError, ValueError):
            time.sleep(0.05)
    raise TimeoutError(file)


def _await_workers(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        if workers:
            client.wait_for_workers(workers, timeout=TIMEOUT)


def threads_and_backend(unit: int) -> tuple[int, int, str]:
    """Threads of SimpleITK, the largest BLAS or OpenMP pool, and where joblib would send nested work."""
    import numpy as np
    import SimpleITK as sitk
    from joblib.parallel import get_active_backend
    from threadpoolctl import threadpool_info

    np.linalg.norm(np.ones((unit, unit)) @ np.ones((unit, unit)))
    pools = [pool["num_threads"] for pool in threadpool_info()]
    backend: Any = get_active_backend()[0]
    return sitk.ProcessObject.GetGlobalDefaultNumberOfThreads(), max(pools), type(backend).__name__


def refuse(unit: int) -> None:
    """Fail as a unit with a user's mistake does."""
    from glottis._errors import CohortError

    raise CohortError(f"Unit {unit} cannot be used: leave it out.")


def end_process(unit: int) -> None:
    """End the worker, as the system does where memory is short."""
    os._exit(unit)
