"""A real Dask cluster on loopback gives what this machine gives, and says clearly why it cannot be used."""

from __future__ import annotations

import pickle
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from dask_cluster import DaskProcesses, dask_processes, end_process, refuse, threads_and_backend
from glottis import workflows
from glottis._errors import ClusterError, CohortError
from glottis.cli import run_command
from glottis.data.volume import Mask, Volume
from glottis.io.images import write_volume
from glottis.io.manifest import read_manifest
from glottis.study import cluster as cluster_module
from glottis.study.cluster import on_cluster
from glottis.study.parallel import Progress, map_units, workers
from glottis.study.spec import read_study
from glottis.study.tabulate import scan_tasks
from tiny_study import TinyStudy, contents

NUMBERS = ("features.parquet", "predictions.csv", "results.json", "fit_log.jsonl", "masks.npz", "checks.json")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    with dask_processes(tmp_path_factory.mktemp("cluster")) as processes:
        yield processes


def entries(folder: Path) -> dict[Path, tuple[int, int]]:
    """Finished cases with inode and time of writing."""
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("[0-9a-f]*.json")}


def test_a_cluster_extracts_the_bytes_of_this_machine(tiny: TinyStudy, cluster: DaskProcesses, monkeypatch, capfd):
    arguments = tiny.extraction("here.csv")
    assert run_command(arguments) == 0
    monkeypatch.chdir(tiny.folder)  # paths relative to a folder that is not the workers'
    arguments[1:4] = ["batch.csv", "-o", "there.csv"]
    assert run_command([*arguments, "--scheduler", cluster.address]) == 0
    assert "features: 48 done" in capfd.readouterr().err
    assert (tiny.folder / "there.csv").read_bytes() == (tiny.folder / "here.csv").read_bytes()


@pytest.mark.parametrize("first", ["cluster", "here"])
def test_a_finished_case_is_not_computed_again_whoever_computed_it(tiny: TinyStudy, cluster: DaskProcesses, first: str):
    kept = tiny.folder / "kept"
    here = [*tiny.extraction(), "--cache", str(kept)]
    there = [*here, "--scheduler", cluster.address]
    assert run_command(here if first == "here" else there) == 0
    before = entries(kept)
    assert len(before) == 48
    assert run_command(there if first == "here" else here) == 0
    assert entries(kept) == before


def test_a_study_on_the_cluster_has_the_numbers_of_this_machine(
    make_tiny: Callable[[str], TinyStudy], cluster: DaskProcesses
):
    here, there = make_tiny("here"), make_tiny("there")
    for study in (here, there):
        study.settings |= {"combinations": [["T1"]], "split": {"method": "random"}}
    here.compute(jobs=2)
    with on_cluster(cluster.address, seen=there.write()):
        there.compute()
    assert contents(there.run, *NUMBERS) == contents(here.run, *NUMBERS)


def test_the_workers_of_the_cluster_count_and_not_the_jobs_here(cluster: DaskProcesses):
    assert workers(3) == 3
    with on_cluster(cluster.address):
        assert workers(3) == 2


@pytest.fixture
def slow_pairs(tmp_path: Path) -> list[tuple[Path, Path]]:
    """Cases whose size makes them last, so that there is a middle in which something can happen."""
    shape = (24, 96, 96)
    inside = np.zeros(shape, dtype=bool)
    inside[4:20, 20:76, 20:76] = True
    write_volume(Mask(voxels=inside, spacing_mm=(1.0, 1.0, 1.0)), tmp_path / "mask.nii")
    for number in range(16):
        voxels = np.random.default_rng(number).normal(100, 20, shape).astype(np.float32)
        write_volume(Volume(voxels=voxels, spacing_mm=(1.0, 1.0, 1.0)), tmp_path / f"{number}.nii")
    return [(tmp_path / f"{number}.nii", tmp_path / "mask.nii") for number in range(16)]


def test_a_worker_killed_between_cases_loses_none_and_changes_none(slow_pairs, tmp_path: Path):
    expected = workflows.extract(slow_pairs)
    with dask_processes(tmp_path / "cluster") as processes:
        kill = at_the_second_case(processes.workers[0], kept := tmp_path / "kept")
        done = workflows.extract(slow_pairs, cache=kept, scheduler=processes.address, progress=kill)
        assert processes.workers[0].wait() == -signal.SIGKILL
    assert done.failures == ()
    assert done.table.equals(expected.table)


def test_a_lost_scheduler_is_named_and_finished_cases_stay(slow_pairs, tmp_path: Path, capfd):
    with dask_processes(tmp_path / "cluster", workers=1) as processes:
        kill = at_the_second_case(processes.scheduler, kept := tmp_path / "kept")
        with pytest.raises(ClusterError, match=r"The scheduler at tcp://.* is gone: start it again; the same command"):
            workflows.extract(slow_pairs, cache=kept, scheduler=processes.address, progress=kill)
    assert 2 <= len(entries(kept)) < len(slow_pairs)
    assert capfd.readouterr().err == ""  # Dask's own tracebacks say less than our sentence


def at_the_second_case(process: subprocess.Popen[bytes], kept: Path) -> Progress:
    """Kill a process when two cases are done and others are not."""

    def progress(stage: str, done: int, total: int) -> None:
        if done == 2:
            assert len(entries(kept)) < total, "the cases were done before anything could be killed"
            process.kill()

    return progress


def test_a_unit_on_a_worker_has_one_thread_and_keeps_its_own_work(cluster: DaskProcesses):
    with on_cluster(cluster.address):
        found = map_units(threads_and_backend, [200] * 8, jobs=1, stage="threads")
    assert set(found) == {(1, 1, "SequentialBackend")}


def test_a_mistake_of_the_user_comes_back_from_a_worker_as_it_is(cluster: DaskProcesses):
    with on_cluster(cluster.address), pytest.raises(CohortError, match="Unit 7 cannot be used: leave it out"):
        map_units(refuse, [7], jobs=1, stage="units")


def test_images_stay_on_the_disk(tiny: TinyStudy):
    study = read_study(tiny.write())
    tasks = scan_tasks(study, read_manifest(study.manifest, study.roles()), cache=tiny.run)
    assert max(len(pickle.dumps(task)) for task in tasks) < 10_000


def test_no_more_units_wait_at_the_scheduler_than_64_mib_hold():
    assert cluster_module._ahead([b""] * 1000) == 256
    assert cluster_module._ahead([bytes(2**24)] * 9) == 3
    assert cluster_module._ahead([]) == 256


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.mark.parametrize("written", ["tcp://127.0.0.1:{free}", "nonsense://there", "tcp://127.0.0.1"])
def test_a_scheduler_that_does_not_answer_is_named(tiny: TinyStudy, monkeypatch, capsys, written: str):
    address = written.format(free=free_port())
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    assert run_command([*tiny.extraction(), "--scheduler", address]) == 2
    assert f"glottis: No Dask scheduler answers at '{address}' within 0.5 s: start one with" in capsys.readouterr().err


def test_a_cluster_without_workers_says_how_to_start_one(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(cluster_module, "WORKER_SECONDS", 0.5)
    expected = "has no worker after 0.5 s: start some with  dask worker tcp://127"
    with dask_processes(tmp_path, workers=0) as processes, pytest.raises(ClusterError, match=expected):
        on_cluster(processes.address).__enter__()


OTHERS = {
    "import glottis\nglottis.__version__ = '0.0.1'\n": "has glottis 0.0.1 and this command has .*: install the same",
    "import platform\nplatform.python_version_tuple = lambda: ('3', '9', '1')\n": "has Python 3.9 and this command has",
    "import sys\nsys.modules['glottis'] = None\n": r"cannot load glottis .*: install it there as it is here",
}


@pytest.mark.parametrize("sitecustomize", OTHERS, ids=["glottis", "python", "none"])
def test_a_worker_that_would_give_other_values_is_refused(tmp_path: Path, sitecustomize: str):
    with (
        dask_processes(tmp_path, workers=1, sitecustomize=sitecustomize) as processes,
        pytest.raises(ClusterError, match=OTHERS[sitecustomize]),
    ):
        on_cluster(processes.address).__enter__()


def test_a_worker_on_another_disk_is_refused():
    message = cluster_module._difference("tcp://w:1", "file '/data/batch.csv'", "True", "False")
    assert message.startswith("Worker tcp://w:1 does not see file '/data/batch.csv': workers need the same files")


@pytest.mark.slow
def test_a_unit_that_ends_every_worker_is_named(tmp_path: Path):
    expected = "One unit of work ended several workers .*: give each worker more memory"
    with (
        dask_processes(tmp_path, workers=5) as processes,
        on_cluster(processes.address),
        pytest.raises(ClusterError, match=expected),
    ):
        map_units(end_process, [1], jobs=1, stage="units")
