"""Extract on a Dask cluster of two workers: nothing lost with a killed worker, what a case costs, flat memory.

usage: python benchmarks/cluster.py [--cases 200] [--small 2000] [--rounds 3] [--out FILE]

The scheduler and its workers are processes on this machine. Generated cases go to a temporary folder. The first part
extracts the same cases with joblib's own two processes and with the cluster, in turn, and once more with a worker
killed in the middle; the second extracts many small cases and samples the resident memory of every process. The table
goes to the screen and to docs/benchmarks/cluster.md.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from glottis import workflows
from glottis.data.volume import Mask, Volume
from glottis.io.images import write_volume

ROOT = Path(__file__).parents[1]
PARAMETERS = {"setting": {"binWidth": 25}, "imageType": {"Original": {}, "Wavelet": {}}}
SMALL = {"setting": {"binWidth": 25}, "imageType": {"Original": {}}, "featureClass": {"firstorder": [], "glcm": []}}
MIB = 2**20


def write_cases(folder: Path, n: int, shape: tuple[int, int, int]) -> list[tuple[Path, Path]]:
    """Images of coloured noise, each with an ellipsoid that fills half of every axis."""
    folder.mkdir()
    axes = np.meshgrid(*(np.linspace(-2, 2, length) for length in shape), indexing="ij")
    mask = folder / "mask.nii"
    write_volume(Mask(voxels=sum(axis**2 for axis in axes) <= 1, spacing_mm=(1.0, 1.0, 1.0)), mask)
    pairs = []
    for number in range(n):
        noise = np.random.default_rng(number).normal(size=shape)
        voxels = (100 + 60 * (noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2))).astype(np.float32)
        image = folder / f"{number:04d}.nii"
        write_volume(Volume(voxels=voxels, spacing_mm=(1.0, 1.0, 1.0)), image)
        pairs.append((image, mask))
    return pairs


def extract(pairs: list[tuple[Path, Path]], **options: Any) -> tuple[float, float, pd.DataFrame, int]:
    """Wall seconds, CPU seconds of this command and every process under it, features and failures."""
    start, before = time.perf_counter(), cpu_seconds()
    result = workflows.extract(pairs, **({"params": PARAMETERS} | options))
    return time.perf_counter() - start, cpu_seconds() - before, result.table, len(result.failures)


def cpu_seconds() -> float:
    """CPU seconds of this command and of the processes that it has started: joblib's, the scheduler, the workers."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(taken.user + taken.system for taken in times)


def compare(pairs: list[tuple[Path, Path]], address: str, rounds: int) -> tuple[list[str], pd.DataFrame]:
    """Both ways in turn on warm processes, and the table of this machine."""
    ways = {"joblib's processes (loky)": {"jobs": 2}, "Dask": {"scheduler": address}}
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    tables = {}
    for options in ways.values():
        extract(pairs[:8], **options)
    for _ in range(rounds):
        for name, options in ways.items():
            seconds, spent, tables[name], _ = extract(pairs, **options)
            wall[name].append(seconds)
            cpu[name].append(spent)
            print(f"{name}: {seconds:.2f} s, CPU {spent:.2f} s", file=sys.stderr, flush=True)
    lines = ["| two workers, warm | CPU, median | range | CPU a case | wall, median |", "|---|---|---|---|---|"]
    per_case = {name: 1000 * statistics.median(times) / len(pairs) for name, times in cpu.items()}
    for name, times in cpu.items():
        spread = f"{statistics.median(times):.2f} s | {min(times):.2f} to {max(times):.2f} s"
        lines.append(f"| {name} | {spread} | {per_case[name]:.1f} ms | {statistics.median(wall[name]):.2f} s |")
    here, there = per_case
    words = f"Dask costs {per_case[there] - per_case[here]:+.1f} ms of CPU a case against loky, connection included"
    lines += ["", f"{words}; equal tables: {_yes(tables[there].equals(tables[here]))}."]
    return lines, tables[here]


def kill_in_the_middle(pairs: list[tuple[Path, Path]], processes: Any, expected: pd.DataFrame) -> list[str]:
    """One of two workers is killed once half of the cases are done."""

    def kill(stage: str, done: int, total: int) -> None:
        if done == total // 2:
            processes.workers[0].kill()
            print("one worker killed", file=sys.stderr, flush=True)

    seconds, _, table, failures = extract(pairs, scheduler=processes.address, progress=kill)
    if processes.workers[0].wait() >= 0:
        raise SystemExit("The worker was not killed: nothing is shown.")
    equal = table.equals(expected)
    return [
        "| one of two workers killed with SIGKILL after half of the cases | |",
        "|---|---|",
        f"| cases asked for | {len(pairs)} |",
        f"| rows with features | {len(table) - failures} |",
        f"| columns | {table.shape[1]} |",
        f"| equal to the run without a cluster, every value bit by bit | {_yes(equal)} |",
        f"| wall | {seconds:.2f} s |",
    ]


def memory(pairs: list[tuple[Path, Path]], processes: Any) -> list[str]:
    """Resident memory of every process over many small cases."""
    watched = {"scheduler": processes.scheduler.pid, "this command": psutil.Process().pid}
    watched |= {f"worker {number}": worker.pid for number, worker in enumerate(processes.workers, start=1)}
    marks = {int(len(pairs) * share): name for share, name in MARKS.items()}
    samples: dict[str, dict[str, float]] = {name: {} for name in watched}

    def sample(stage: str, done: int, total: int) -> None:
        if done in marks:
            for name, pid in watched.items():
                samples[name][marks[done]] = psutil.Process(pid).memory_info().rss / MIB

    seconds, _, _, failures = extract(pairs, params=SMALL, scheduler=processes.address, progress=sample)
    head = list(MARKS.values())
    lines = [f"| resident memory, MiB | {' | '.join(head)} |", f"|---{'|---' * len(head)}|"]
    lines += [f"| {name} | {' | '.join(f'{taken[mark]:.0f}' for mark in head)} |" for name, taken in samples.items()]
    rate = 1000 * seconds / len(pairs)
    lines += ["", f"{len(pairs) - failures:,} of {len(pairs):,} cases with features, {rate:.1f} ms a case."]
    return lines


MARKS = {0.05: "begin (5%)", 0.25: "quarter", 0.5: "half", 0.75: "three quarters", 1.0: "end"}


def _yes(equal: bool) -> str:
    return "yes" if equal else "NO"


def _preface(cases: int, rounds: int) -> list[str]:
    versions = {name: importlib.metadata.version(name) for name in ("distributed", "joblib")}
    return [
        "# A Dask cluster on one machine",
        "",
        "Written by `benchmarks/cluster.py`: a scheduler and two workers of one thread each as processes on this",
        f"machine, files on its disk, no cache. {cases} generated cases of 32 x 80 x 80 voxels, original and eight",
        f"wavelet bands; {rounds} rounds, both ways in turn. Dask's profile of the last hour is off",
        "(`DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False`).",
        f"Python {platform.python_version()}, distributed {versions['distributed']}, joblib {versions['joblib']}, "
        f"{psutil.cpu_count()} cores, load average {psutil.getloadavg()[0]:.1f} as it began. "
        "CPU seconds are those of the",
        "command and all its processes, scheduler included.",
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--small", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "cluster.md")
    given = parser.parse_args()
    os.environ["DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED"] = "False"
    sys.path.insert(0, str(ROOT / "tests"))  # the tests start the same processes
    dask_processes = importlib.import_module("dask_cluster").dask_processes
    head = _preface(given.cases, given.rounds)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = write_cases(folder / "cases", given.cases, (32, 80, 80))
        with dask_processes(folder / "cluster") as processes:
            compared, expected = compare(pairs, processes.address, given.rounds)
            killed = kill_in_the_middle(pairs, processes, expected)
        small = write_cases(folder / "small", given.small, (12, 24, 24))
        with dask_processes(folder / "second") as processes:
            flat = memory(small, processes)
    report = "\n".join([*head, *compared, "", *killed, "", "## Memory over many small cases", "", *flat]) + "\n"
    given.out.write_text(report)
    print(report)


if __name__ == "__main__":
    main()
