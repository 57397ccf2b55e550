"""Engine processes for benchmarks/engine.py: each in an environment of its own, one thread each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOOP = Path(__file__).with_name("engine_loop.py")
PARAMETERS = {
    "setting": {"binWidth": 25, "resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkBSpline"},
    "imageType": {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]}},
}
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
    ),
    "1",
)
Pair = tuple[Path, Path]


class Engine:
    """A process of one engine that extracts what it is asked to."""

    def __init__(self, name: str, python: str, environment: Mapping[str, str] | None = None) -> None:
        self.name, self.python = name, python
        self.begun = time.perf_counter()
        self.process = subprocess.Popen(
            [python, str(LOOP), name, json.dumps(PARAMETERS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **ONE_THREAD, **(environment or {})},
        )
        self.starts: dict[Pair, dict[str, float]] = {}

    def version(self) -> str:
        """Name and version of the engine."""
        return str(self._ask({"version": True})["version"])

    def prepare(self, pair: Pair) -> None:
        """Find where pictologics' bins begin, untimed; the other engines know it themselves."""
        if self.name == "pictologics" and pair not in self.starts:
            self.starts[pair] = self._ask({"pairs": [list(map(str, pair))], "jobs": 1}).get("starts", {})

    def run(self, pairs: Sequence[Pair], *, jobs: int = 1) -> dict[str, Any]:
        """Extract; the answer is that of ``engine_loop``, its times NaN where the engine refused."""
        request = {"pairs": [list(map(str, pair)) for pair in pairs], "jobs": jobs}
        if self.name == "pictologics":
            self.prepare(pairs[0])
            request["starts"] = self.starts[pairs[0]]
        answer = self._ask(request)
        if "error" in answer:
            print(f"{self.name} on {pairs[0][0].name}: {answer['error']}", file=sys.stderr)
            failed = dict.fromkeys(("seconds", "wall", "total", "peak_mb", "since_start"), float("nan"))
            return {**failed, "features": {}, "workers_mb": []}
        return {**answer, "since_start": time.perf_counter() - self.begun}

    def again(self, **environment: str) -> Engine:
        """A new process of the same engine, nothing of it loaded."""
        new = Engine(self.name, self.python, environment)
        new.starts = self.starts
        return new

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended without an answer: see its message above.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process and what it started."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def engines(pythons: Mapping[str, str | None]) -> Iterator[dict[str, Engine]]:
    """A process of each engine that is there; one that is not is left out with a word."""
    present = {}
    for name, python in pythons.items():
        if python is None:
            print(f"{name}: no interpreter given, left out.", file=sys.stderr)
        elif not has(python, name):
            print(f"{name}: {python} cannot find it, left out.", file=sys.stderr)
        else:
            present[name] = Engine(name, python)
    try:
        yield present
    finally:
        for engine in present.values():
            engine.close()


def has(python: str, name: str) -> bool:
    """Whether an environment holds an engine, without importing it."""
    try:
        code = f"from importlib.metadata import version; version({name!r})"
        return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
