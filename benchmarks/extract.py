"""Time extraction on one core against PyRadiomics 3.0.1, and count the values that are equal.

usage: python benchmarks/extract.py [--oracle PYTHON] [--data DIR] [--repeats N] [--out FILE]

Both engines read the files and compute 1,316 features (original, eight wavelet bands, LoG 1 to 5 mm, at 1 x 1 x 1 mm,
bin width 25). ``--oracle`` is the interpreter of an environment of its own that holds PyRadiomics 3.0.1; the two run in
turn, case by case, so that a busy machine slows both. Times are CPU seconds; the table goes to the screen and to
docs/benchmarks/extract.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PARAMETERS = {
    "setting": {"binWidth": 25, "resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkBSpline"},
    "imageType": {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0, 2.0, 3.0, 4.0, 5.0]}},
}
CASES = {
    "brain1": ("pyradiomics/data/brain1_image.nrrd", "pyradiomics/data/brain1_label.nrrd"),
    "brain2": ("pyradiomics/data/brain2_image.nrrd", "pyradiomics/data/brain2_label.nrrd"),
    "breast1": ("pyradiomics/data/breast1_image.nrrd", "pyradiomics/data/breast1_label.nrrd"),
    "STS_002 T1 MR": ("sts/STS_002/MR_T1_image.nii.gz", "sts/STS_002/MR_T1_mask.nii.gz"),
    "STS_002 CT": ("sts/STS_002/CT_image.nii.gz", "sts/STS_002/CT_mask.nii.gz"),
    "STS_018 T1 MR": ("sts/STS_018/MR_T1_image.nii.gz", "sts/STS_018/MR_T1_mask.nii.gz"),
    "STS_018 PET": ("sts/STS_018/PET_image.nii.gz", "sts/STS_018/PET_mask.nii.gz"),
}
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"), "1"
)
RELATIVE = 1e-6

# Reads one pair of paths a line, answers with one line of JSON; "setup" builds run(image, mask) -> {name: value}.
LOOP = """
import json, sys, time
for line in sys.stdin:
    image, mask = json.loads(line)
    before = time.process_time()
    features = run(image, mask)
    print(json.dumps({"seconds": time.process_time() - before, "features": features}), flush=True)
"""
GLOTTIS = """
import json, sys
from pathlib import Path
from glottis.data.cohort import MaskSource
from glottis.io.images import read_masks, read_volume
from glottis.study.case import extract_case
from glottis.study.parameters import parameters_from_dict
settings = parameters_from_dict(json.loads(sys.argv[1])).case
def run(image, mask):
    volume = read_volume(Path(image))
    (drawn,) = read_masks(MaskSource(source=Path(mask), label=1), volume)
    return extract_case(volume, drawn, settings).features
"""
PYRADIOMICS = """
import json, logging, sys
from radiomics import featureextractor
logging.getLogger("radiomics").setLevel(logging.ERROR)
extractor = featureextractor.RadiomicsFeatureExtractor(json.loads(sys.argv[1]))
def run(image, mask):
    row = extractor.execute(image, mask, label=1)
    return {name: float(value) for name, value in row.items() if not name.startswith("diagnostics")}
"""


class Engine:
    """A process that extracts one case at a time on one core."""

    def __init__(self, python: str, setup: str) -> None:
        self.command = [python, "-c", setup + LOOP, json.dumps(PARAMETERS)]
        self.process = self._start({})

    def _start(self, more: dict[str, str]) -> subprocess.Popen[str]:
        environment = {**os.environ, **ONE_THREAD, **more}
        return subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def run(self, files: tuple[Path, Path]) -> tuple[float, dict[str, float]]:
        """CPU seconds and features of one case."""
        return _ask(self.process, files)

    def cold_seconds(self, files: tuple[Path, Path], **more: str) -> float:
        """CPU seconds of a new process from its start to its end, one case extracted."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = self._start(more)
        _ask(process, files)
        _stop(process)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def close(self) -> None:
        """End the process."""
        _stop(self.process)


def _ask(process: subprocess.Popen[str], files: tuple[Path, Path]) -> tuple[float, dict[str, float]]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([str(path) for path in files]) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"{process.args[0]} ended without an answer for {files[0].name}: see its message above.")
    answer: dict[str, Any] = json.loads(line)
    return answer["seconds"], answer["features"]


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


@contextmanager
def _engines(oracle: str | None) -> Iterator[dict[str, Engine]]:
    engines = {"glottis": Engine(sys.executable, GLOTTIS)}
    if oracle:
        engines["PyRadiomics"] = Engine(oracle, PYRADIOMICS)
    try:
        yield engines
    finally:
        for engine in engines.values():
            engine.close()


def _warm(engines: dict[str, Engine], cases: dict[str, tuple[Path, Path]], repeats: int) -> list[dict[str, Any]]:
    rows = []
    for case, files in cases.items():
        features = {name: engine.run(files)[1] for name, engine in engines.items()}
        seconds: dict[str, list[float]] = {name: [] for name in engines}
        for _ in range(repeats):
            for name, engine in engines.items():
                seconds[name].append(engine.run(files)[0])
        row: dict[str, Any] = {"case": case, "features": len(features["glottis"])}
        row |= {name: statistics.median(times) for name, times in seconds.items()}
        if "PyRadiomics" in features:
            row["equal"] = _share_equal(features["glottis"], features["PyRadiomics"])
        rows.append(row)
        print(f"{case}: {row}", file=sys.stderr, flush=True)
    return rows


def _share_equal(ours: dict[str, float], theirs: dict[str, float]) -> float:
    equal = sum(name in ours and _equal(ours[name], value) for name, value in theirs.items())
    return equal / len(theirs)


def _equal(ours: float, theirs: float) -> bool:
    return (math.isnan(ours) and math.isnan(theirs)) or abs(ours - theirs) <= RELATIVE * abs(theirs)


def _cold(engines: dict[str, Engine], files: tuple[Path, Path]) -> dict[str, float]:
    cold = {f"{name}, new process": engine.cold_seconds(files) for name, engine in engines.items()}
    with tempfile.TemporaryDirectory() as folder:
        key = "glottis, new process, nothing compiled yet"
        cold[key] = engines["glottis"].cold_seconds(files, NUMBA_CACHE_DIR=folder)
    return cold


def _report(rows: list[dict[str, Any]], cold: dict[str, float], first: str) -> str:
    compared = "PyRadiomics" in rows[0]
    lines = ["# Extraction on one core", "", *_preface(compared), ""]
    if compared:
        lines += [
            "| case | features | glottis | PyRadiomics 3.0.1 | ratio | equal within 1e-6 |",
            "|---|---|---|---|---|---|",
        ]
        for row in rows:
            ratio = row["PyRadiomics"] / row["glottis"]
            lines.append(
                f"| {row['case']} | {row['features']:,} | {row['glottis']:.3f} s | {row['PyRadiomics']:.3f} s | "
                f"{ratio:.1f} | {row['equal']:.2%} |"
            )
    else:
        lines += ["| case | features | glottis |", "|---|---|---|"]
        lines += [f"| {row['case']} | {row['features']:,} | {row['glottis']:.3f} s |" for row in rows]
    lines += ["", f"A new process until its first case ({first}) is extracted, imports included:", ""]
    lines += ["| | CPU |", "|---|---|", *(f"| {name} | {seconds:.2f} s |" for name, seconds in cold.items())]
    return "\n".join(lines) + "\n"


def _preface(compared: bool) -> list[str]:
    lines = [
        "Written by `benchmarks/extract.py`. CPU seconds of one thread, reading of the files included: original, eight",
        "wavelet bands and LoG 1 to 5 mm at 1 x 1 x 1 mm, bin width 25; median of warm runs.",
        f"{_processor()}, Python {platform.python_version()}.",
    ]
    if compared:
        lines.append("PyRadiomics ran in an environment of its own, in turn with glottis on the same machine.")
    else:
        lines.append("No PyRadiomics was given (`--oracle`), so nothing is compared here.")
    return lines


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oracle", help="interpreter of an environment with PyRadiomics 3.0.1")
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("GLOTTIS_DATA", ROOT.parent / "shared" / "data"))
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--cases", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "extract.md")
    arguments = parser.parse_args()
    cases = {name: (arguments.data / CASES[name][0], arguments.data / CASES[name][1]) for name in arguments.cases}
    absent = [str(path) for files in cases.values() for path in files if not path.exists()]
    if absent:
        raise SystemExit(f"These files are absent: {', '.join(absent)}. Give the folder of real data with --data.")
    if not arguments.oracle:
        print("No --oracle: timing glottis alone, comparing nothing.", file=sys.stderr)
    start = time.perf_counter()
    with _engines(arguments.oracle) as engines:
        rows = _warm(engines, cases, arguments.repeats)
        first = next(iter(cases))
        report = _report(rows, _cold(engines, cases[first]), first)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(report)
    print(report)
    print(f"{time.perf_counter() - start:.0f} s in all; written to {arguments.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
