"""Time, memory and equal values of extraction, against PyRadiomics 3.0.1 and pictologics 0.9.

usage: python benchmarks/engine.py [--pyradiomics PYTHON] [--pictologics PYTHON] [--data DIR] [--sections NAME ...]
                                   [--repeats N] [--quick] [--out FILE]

``--pyradiomics`` and ``--pictologics`` are interpreters of environments of their own; one that is absent is left out
with a word. The engines run in turn, case by case, so that a busy machine slows all of them. The page goes to
docs/benchmarks/engine.md, written anew after each section. Needs Linux (/proc).
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine_cases import SMALL, SYNTHETIC, Pair, lesion, sarcomas, small_cases, warm_cases
from engine_page import Bar, Found, at_most, page, table
from engine_processes import Engine, engines

ROOT = Path(__file__).parents[1]
RELATIVE = 1e-6
LARGE = 1_000_000
SCANS = {"glottis": 50, "PyRadiomics": 4}
RATIO_BARS = {"brain1": 12, "STS_002 T1 MR": 12, "STS_018 T1 MR": 12, SYNTHETIC: 12, SMALL: 10}
PICTOLOGICS_BAR, WARM_START_BAR, FIRST_START_BAR, WORKERS_BAR, MEMORY_BAR, GROWTH_BAR = 2.5, 1.2, 20, 1.85, 500, 1.05
CONFIGURED = """\
pictologics follows IBSI, so its numbers are its own and are not compared. It was given what comes nearest: 1 x 1 x 1 mm
by cubic spline, nearest neighbour for the mask; the same eight coif1 bands (undecimated) and LoG sigmas (cut at 4
sigma), mirrored at the edge; intensity, GLCM, GLRLM, GLSZM, NGTDM and NGLDM features of all 14 images, morphology of
the original, none of its distance-zone, histogram, intensity-volume and spatial ones; bins of width 25 from the
multiple of 25 below each image's minimum on, as in PyRadiomics, found in a run that is not timed. It merges the
co-occurrence and run-length matrices of the 13 directions, PyRadiomics averages features over them; its LoG does not
carry sigma squared, so that large sigmas fill fewer bins; it reads every image as float64. Its own standard
configurations are 0.5 mm, linear, 8, 16 or 32 bins.\
"""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What every section works with."""

    engines: dict[str, Engine]
    data: Path
    folder: Path
    repeats: int
    quick: bool


def warm(bench: Bench) -> Found:
    """CPU seconds a case, everything loaded and compiled."""
    header = [f"{name}: median (least)" for name in bench.engines]
    header += [f"{name} / glottis" for name in bench.engines if name != "glottis"]
    rows, bars, numbers = [], [], {}
    for case, pair in _cases(bench).items():
        features, times = _in_turn(bench.engines, pair, bench.repeats)
        numbers = numbers | {name: len(values) for name, values in features.items()}
        medians = {name: statistics.median(seconds) for name, seconds in times.items()}
        row = [case, *(f"{medians[name]:.3f} s ({min(times[name]):.3f})" for name in times)]
        ratios = {name: medians[name] / medians["glottis"] for name in times if name != "glottis"}
        row += [f"{ratio:.1f}" for ratio in ratios.values()]
        if "PyRadiomics" in features:
            row.append(f"{_share_equal(features['glottis'], features['PyRadiomics']):.2%}")
        rows.append(row)
        bars += _ratio_bars(case, ratios)
        _say(" | ".join(row))
    if "PyRadiomics" in bench.engines:
        header.append("equal within 1e-6")
    counts = ", ".join(f"{name} {number:,}" for name, number in numbers.items())
    lines = [
        f"CPU seconds of one thread, reading of the files included; repeats in turn: {bench.repeats}; the ratio is",
        f"that of the medians. Numbers a case: {counts}.",
        "",
        *table(["case", *header], rows),
    ]
    if "pictologics" in bench.engines:
        lines += ["", *CONFIGURED.splitlines()]
    return Found(lines=lines, bars=bars)


def _cases(bench: Bench) -> dict[str, Pair]:
    cases = warm_cases(bench.data, bench.folder)
    return {name: cases[name] for name in ("brain1", "breast1", SMALL)} if bench.quick else cases


def _in_turn(
    engines: dict[str, Engine], pair: Pair, repeats: int
) -> tuple[dict[str, dict[str, float]], dict[str, list[float]]]:
    """Features by engine, and CPU seconds of each repeat after a run that is not counted."""
    features = {name: engine.run([pair])["features"] for name, engine in engines.items()}
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(repeats):
        for name, engine in engines.items():
            times[name].append(engine.run([pair])["seconds"])
    return features, times


def _ratio_bars(case: str, ratios: dict[str, float]) -> list[Bar]:
    if case not in RATIO_BARS:
        return []
    bars = {"PyRadiomics": RATIO_BARS[case], "pictologics": PICTOLOGICS_BAR}
    return [
        Bar(what=f"times as fast as {name}, {case}", measured=ratio, bar=bars[name]) for name, ratio in ratios.items()
    ]


def _share_equal(ours: dict[str, float], theirs: dict[str, float]) -> float:
    if not theirs:
        return math.nan
    return sum(name in ours and _equal(ours[name], value) for name, value in theirs.items()) / len(theirs)


def _equal(ours: float, theirs: float) -> bool:
    return (math.isnan(ours) and math.isnan(theirs)) or abs(ours - theirs) <= RELATIVE * abs(theirs)


def cold(bench: Bench) -> Found:
    """CPU seconds from a process's start to its first case's features."""
    case = "brain1"
    pair = _cases(bench)[case]
    seconds = {f"{name}, new process": _cold_seconds(engine, pair, bench) for name, engine in bench.engines.items()}
    with tempfile.TemporaryDirectory() as empty, bench.engines["glottis"].again(NUMBA_CACHE_DIR=empty) as engine:
        first = engine.run([pair])["total"]
    seconds["glottis, new process, nothing compiled yet"] = first
    return Found(
        lines=[
            f"CPU seconds from a process's start until its first case ({case}) is extracted, imports included:",
            f"the median of {bench.repeats}, compiled code read from its cache; the last row once, its cache empty.",
            "",
            *table(["", "CPU"], [[name, f"{value:.2f} s"] for name, value in seconds.items()]),
        ],
        bars=[
            at_most("a new process to its first case", seconds["glottis, new process"], WARM_START_BAR, " s"),
            at_most("the first run ever, compilation included", first, FIRST_START_BAR, " s"),
        ],
    )


def _cold_seconds(engine: Engine, pair: Pair, bench: Bench) -> float:
    engine.prepare(pair)
    totals = []
    for _ in range(bench.repeats):
        with engine.again() as new:
            totals.append(new.run([pair])["total"])
    return statistics.median(totals)


def workers(bench: Bench) -> Found:
    """Wall time of one and two workers over 50 real scans; of PyRadiomics, which takes some 20 s a scan, over 4."""
    rows, bars = [], []
    for name in _those(bench, "glottis", "PyRadiomics"):
        pairs = sarcomas(bench.data, 2 if bench.quick else SCANS[name])
        walls = {jobs: _walls(bench.engines[name], pairs, jobs, bench.repeats) for jobs in (1, 2)}
        for when, (one, two) in {word: (walls[1][word], walls[2][word]) for word in walls[1]}.items():
            rows.append([name, f"{len(pairs)}", when, f"{one:.1f} s", f"{two:.1f} s", f"{one / two:.2f}"])
            if name == "glottis":
                bars.append(Bar(what=f"two workers against one, {when}", measured=one / two, bar=WORKERS_BAR))
    return Found(
        lines=[
            "Wall seconds over STS scans with their tumours. From the start: a new process, its imports and the start",
            "of its workers included, as a user sees it. Once more: the same process and workers again, no result",
            f"kept, median of {bench.repeats}.",
            "",
            *table(["engine", "scans", "", "one worker", "two workers", "ratio"], rows),
        ],
        bars=bars,
    )


def _walls(engine: Engine, pairs: Sequence[Pair], jobs: int, repeats: int) -> dict[str, float]:
    """Wall seconds of a new process, and of glottis' once it runs; PyRadiomics' takes long and gains little by it."""
    with engine.again() as new:
        walls = {"from the start": new.run(pairs, jobs=jobs)["since_start"]}
        if engine.name == "glottis":
            walls["once more"] = statistics.median(new.run(pairs, jobs=jobs)["wall"] for _ in range(repeats))
    _say(f"{engine.name}, {jobs} workers: {walls}")
    return walls


def memory(bench: Bench) -> Found:
    """Peak memory of a process by case, and of glottis' workers over many cases."""
    rows = []
    for case, pair in _cases(bench).items():
        peaks = [engine.run([pair])["peak_mb"] for engine in bench.engines.values()]
        rows.append([case, *(f"{peak:.0f} MB" for peak in peaks)])
    number = 20 if bench.quick else 500
    with bench.engines["glottis"].again() as engine:
        samples = engine.run(small_cases(bench.folder, number), jobs=2)["workers_mb"]
    sizes = [size for _, size, _ in samples]
    _say(f"workers: {samples}")
    return Found(
        lines=[
            "Peak resident memory of each engine's process while it extracts a case, the earlier cases behind it.",
            "",
            *table(["case", *bench.engines], rows),
            "",
            f"Resident memory of the larger of two glottis processes over {number} cases of about 2,000 voxels:",
            "",
            *table(
                ["cases done", "now", "peak so far"],
                [[f"{done}", f"{size:.0f} MB", f"{peak:.0f} MB"] for done, size, peak in samples],
            ),
        ],
        bars=[
            at_most("a worker's memory at its peak", samples[-1][2], MEMORY_BAR, " MB"),
            at_most("a worker's memory at the end over that at a quarter", sizes[-1] / sizes[1], GROWTH_BAR),
        ],
    )


def growth(bench: Bench) -> Found:
    """CPU seconds by voxels of the lesion and by number of cases."""
    both = _those(bench, "glottis", "PyRadiomics")
    return Found(
        lines=[
            "CPU seconds by voxels of the lesion (a sphere at 1 mm, 20 voxels around it); a million voxels once:",
            "",
            *table(["voxels", *bench.engines], _by_voxels(bench)),
            "",
            "CPU seconds a case by number of cases of about 2,000 voxels, in one call and one process:",
            "",
            *table(["cases", *both], _by_cases(bench, both)),
        ]
    )


def _by_voxels(bench: Bench) -> list[list[str]]:
    rows = []
    for voxels in (1000, 10_000) if bench.quick else (1000, 10_000, 100_000, LARGE):
        pair = lesion(bench.folder, f"sphere{voxels}", voxels)
        times = []
        for engine in bench.engines.values():
            if voxels < LARGE:
                engine.run([pair])
            repeats = bench.repeats if voxels < LARGE else 1
            times.append(statistics.median(engine.run([pair])["seconds"] for _ in range(repeats)))
        rows.append([f"{voxels:,}", *(f"{seconds:.3f} s" for seconds in times)])
        _say(" | ".join(rows[-1]))
    return rows


def _by_cases(bench: Bench, names: Sequence[str]) -> list[list[str]]:
    """CPU seconds a case; PyRadiomics up to 50 cases, which it takes long enough for."""
    rows = []
    for number in (1, 5) if bench.quick else (1, 10, 50, 200, 500):
        pairs = small_cases(bench.folder, number)
        seconds = [
            f"{bench.engines[name].run(pairs)['seconds'] / number:.4f} s" if name == "glottis" or number <= 50 else ""
            for name in names
        ]
        rows.append([f"{number}", *seconds])
        _say(" | ".join(rows[-1]))
    return rows


def _those(bench: Bench, *names: str) -> list[str]:
    return [name for name in names if name in bench.engines]


SECTIONS: dict[str, tuple[str, Callable[[Bench], Found]]] = {
    "warm": ("One core, warm", warm),
    "cold": ("From the start", cold),
    "workers": ("Two workers", workers),
    "memory": ("Memory", memory),
    "growth": ("Growth", growth),
}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyradiomics", help="interpreter of an environment with PyRadiomics 3.0.1")
    parser.add_argument("--pictologics", help="interpreter of an environment with pictologics 0.9")
    shared = os.environ.get("GLOTTIS_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=Path, default=Path(shared))
    parser.add_argument("--sections", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few and small cases, to see that the script works")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks" / "engine.md")
    return parser.parse_args()


def main() -> None:
    arguments = _arguments()
    start = time.perf_counter()
    pythons = {"glottis": sys.executable, "PyRadiomics": arguments.pyradiomics, "pictologics": arguments.pictologics}
    found: dict[str, Found] = {}
    with tempfile.TemporaryDirectory() as folder, engines(pythons) as present:
        versions = [engine.version() for engine in present.values()]
        bench = Bench(
            engines=present,
            data=arguments.data,
            folder=Path(folder),
            repeats=arguments.repeats,
            quick=arguments.quick,
        )
        for name in arguments.sections:
            _say(f"{name}: {time.perf_counter() - start:.0f} s so far")
            title, measure = SECTIONS[name]
            found[title] = measure(bench)
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            arguments.out.write_text(page(found, versions, quick=arguments.quick))
    _say(f"{time.perf_counter() - start:.0f} s in all; written to {arguments.out}")
    print("\n".join(bar.line() for section in found.values() for bar in section.bars))


if __name__ == "__main__":
    main()
