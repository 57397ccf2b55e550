"""One engine in one process: a JSON request a line in, a JSON answer a line out.

usage: python engine_loop.py {glottis,PyRadiomics,pictologics} PARAMETERS

Runs in each engine's own environment, so it needs nothing but that engine. A request holds ``pairs`` of image and mask,
``jobs`` and, for pictologics, ``starts`` (first bin edge by image type). The answer holds ``seconds`` (CPU), ``wall``,
``total`` (CPU since the process began), ``peak_mb`` of this process, ``workers_mb`` as (cases done, memory and peak so
far of the largest process at work), and the ``features`` of the first pair.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from multiprocessing import Pool
from pathlib import Path
from typing import Any

Pairs = list[list[str]]
Run = Callable[[dict[str, Any]], Any]
BANDS = ("LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL")
TEXTURES = ("glcm", "glrlm", "glszm", "ngtdm", "ngldm")
SAMPLES = (0.02, 0.25, 0.5, 0.75, 1.0)  # of the cases; at the first of them both workers have started


def glottis(parameters: dict[str, Any]) -> Run:
    """``glottis.extract`` as a user calls it."""
    import glottis as engine

    def run(request: dict[str, Any]) -> dict[str, Any]:
        workers: list[tuple[int, float, float]] = []

        def sample(_stage: str, done: int, total: int) -> None:
            if done in {max(1, round(share * total)) for share in SAMPLES}:
                sizes = [(resident_mb(child), resident_mb(child, "VmHWM")) for child in (os.getpid(), *children())]
                workers.append((done, *(max(column) for column in zip(*sizes, strict=True))))

        extra = {"progress": sample} if request["jobs"] > 1 else {}
        found = engine.extract(request["pairs"], params=parameters, jobs=request["jobs"], **extra)
        if found.failures:
            raise RuntimeError(str(found.failures[0]))
        return {"features": _numbers(found.records[0]), "workers_mb": workers}

    return run


def pyradiomics(parameters: dict[str, Any]) -> Run:
    """PyRadiomics' extractor; two processes as its command line starts them, from a pool."""
    extractor = _pyradiomics_extractor(parameters)
    pools: dict[int, Any] = {}

    def run(request: dict[str, Any]) -> dict[str, Any]:
        jobs = request["jobs"]
        if jobs == 1:
            rows = [extractor.execute(image, mask, label=1) for image, mask in request["pairs"]]
        else:
            if jobs not in pools:
                pools[jobs] = Pool(jobs, _begin_worker, (parameters,))
            rows = pools[jobs].map(_work, request["pairs"], chunksize=1)
        return {"features": _numbers(rows[0])}

    return run


def _pyradiomics_extractor(parameters: dict[str, Any]) -> Any:
    import SimpleITK as sitk
    from radiomics import featureextractor

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    logging.getLogger("radiomics").setLevel(logging.CRITICAL)
    return featureextractor.RadiomicsFeatureExtractor(parameters)


def _begin_worker(parameters: dict[str, Any]) -> None:
    global extractor
    extractor = _pyradiomics_extractor(parameters)


def _work(pair: list[str]) -> dict[str, float]:
    return _numbers(extractor.execute(*pair, label=1))


def pictologics(parameters: dict[str, Any]) -> Run:
    """The nearest that pictologics offers: a configuration an image type, bins from ``starts`` on."""

    def run(request: dict[str, Any]) -> dict[str, Any]:
        if "starts" not in request:
            return {"starts": _first_edges(parameters, request["pairs"][0])}
        pipeline = _pipeline(parameters, request["starts"])
        rows = [pipeline.run(image, mask) for image, mask in request["pairs"]]
        return {"features": {f"{kind}_{name}": value for kind, row in rows[0].items() for name, value in row.items()}}

    return run


def _first_edges(parameters: dict[str, Any], pair: list[str]) -> dict[str, float]:
    """The multiple of the bin width below the smallest value of each image, where PyRadiomics' bins begin."""
    width = parameters["setting"]["binWidth"]
    found = _pipeline(parameters, None).run(*pair)
    return {kind: math.floor(row["minimum_intensity_1GSF"] / width) * width for kind, row in found.items()}


def _pipeline(parameters: dict[str, Any], starts: dict[str, float] | None) -> Any:
    from pictologics import RadiomicsPipeline

    filters: dict[str, dict[str, Any] | None] = {"original": None}
    for band in BANDS:
        filters[f"wavelet-{band}"] = {"type": "wavelet", "wavelet": "coif1", "decomposition": band, "level": 1}
    for sigma in parameters["imageType"]["LoG"]["sigma"]:
        filters[f"log-{sigma}"] = {"type": "log", "sigma_mm": sigma}
    pipeline = RadiomicsPipeline(load_standard=False)
    for kind, options in filters.items():
        pipeline.add_config(kind, _steps(parameters["setting"], kind, options, starts))
    return pipeline


def _steps(
    setting: dict[str, Any], kind: str, options: dict[str, Any] | None, starts: dict[str, float] | None
) -> list[dict[str, Any]]:
    grid = {"new_spacing": tuple(setting["resampledPixelSpacing"]), "interpolation": "cubic"}
    steps: list[dict[str, Any]] = [{"step": "resample", "params": {**grid, "mask_interpolation": "nearest"}}]
    if options:
        steps.append({"step": "filter", "params": options})
    families = ["intensity"]
    if starts is not None:
        bins = {"method": "FBS", "bin_width": setting["binWidth"], "min_val": starts[kind]}
        steps.append({"step": "discretise", "params": bins})
        families += [*TEXTURES, *(["morphology"] if kind == "original" else [])]
    return [*steps, {"step": "extract_features", "params": {"families": families}}]


def _numbers(row: Any) -> dict[str, float]:
    skipped = ("diagnostics", "Image", "Mask")
    return {name: float(value) for name, value in row.items() if not name.startswith(skipped)}


def resident_mb(process: int, field: str = "VmRSS") -> float:
    """Resident memory of a process in MB (``VmHWM``: at its peak); 0 for one that has ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field)), 0.0)


def children() -> list[int]:
    """The processes that this one has started."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(number) for task in tasks for number in task.read_text().split()]


def answer(run: Run, request: dict[str, Any]) -> dict[str, Any]:
    """Do what a request says and measure it; an engine's own error is the answer's ``error``."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        found = run(request)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    found |= {"seconds": time.process_time() - cpu, "wall": time.perf_counter() - wall, "total": time.process_time()}
    return found | {"peak_mb": resident_mb(os.getpid(), "VmHWM")}


ENGINES = {"glottis": glottis, "PyRadiomics": pyradiomics, "pictologics": pictologics}


def main() -> None:
    name, parameters = sys.argv[1], json.loads(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an engine prints is no answer
    warnings.simplefilter("ignore")
    run = ENGINES[name](parameters)
    for line in sys.stdin:
        request = json.loads(line)
        found = {"version": f"{name} {version(name)}"} if "version" in request else answer(run, request)
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main()
