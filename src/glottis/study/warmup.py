"""Compile the feature kernels once on a machine, before any work that would have to wait for them, and say so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from glottis import __version__
from glottis._errors import GlottisError
from glottis.data.volume import Mask, Volume
from glottis.features.discretise import FixedBinCount
from glottis.features.filters import With
from glottis.study.case import CaseSettings, extract_case
from glottis.study.parallel import Progress, silent

STAGE = "compiling the kernels (once on this machine)"
SIDE = 18
"""Voxels a side of the trial image: enough for every filter."""
PIXEL_TYPES = (np.int16, np.float32, np.float64)
"""One of each group that is computed differently: whole numbers, single and double precision."""


def compile_kernels(settings: Iterable[CaseSettings], *, progress: Progress = silent) -> None:
    """Extract tiny images of every pixel type with each of the settings, unless that was done on this machine before.

    Compiled code is kept by numba beside the package (or in the user's cache folder where that cannot be written),
    and so is a mark that says for which kernels it is complete.

    Args:
        settings: of the cases that will be extracted.
        progress: told before and after, only where something is compiled.
    """
    by_kernels = {_kernels_of(chosen): chosen for chosen in settings}
    missing = {mark: chosen for kernels, chosen in by_kernels.items() if not (mark := _mark(kernels)).exists()}
    if not missing:
        return
    progress(STAGE, 0, 1)
    for mark, chosen in missing.items():
        for dtype in PIXEL_TYPES:
            _try(chosen, dtype)
        _write(mark)
    progress(STAGE, 1, 1)


def _try(settings: CaseSettings, dtype: type[np.generic]) -> None:
    """Extract a trial image; a setting that cannot work fails again, and is named, on the first real case."""
    spacing = 1.0 if settings.resample is None else 1.3 * (max(settings.resample.spacing_mm) or 1.0)
    rng = np.random.default_rng(0)
    voxels = rng.integers(1, 200, (SIDE,) * 3).astype(dtype)
    inside = np.zeros(voxels.shape, dtype=bool)
    inside[4:-4, 4:-4, 4:-4] = rng.random((SIDE - 8,) * 3) < 0.9
    place = {"spacing_mm": (spacing,) * 3}
    features = replace(settings.features, bins=FixedBinCount(8))
    trial = replace(settings, features=features, whole_image=(), resegment=None, minimum_voxels=1)
    try:
        extract_case(Volume(voxels=voxels, **place), Mask(voxels=inside, **place), trial)
    except GlottisError:
        return


def _mark(kernels: str) -> Path:
    from glottis.features.texture._kernels import count_neighbours

    wanted = f"{_machine()} {kernels}"
    return Path(count_neighbours.stats.cache_path) / f"glottis-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}.ready"


def _kernels_of(settings: CaseSettings) -> str:
    """What decides which kernels run, in words; bin widths and sigmas do not."""
    features, texture = settings.features, settings.features.texture
    filters = sorted({type(step.step if isinstance(step, With) else step).__name__ for step in features.filters})
    ways = (texture.distances != (1,), texture.weighting is not None, texture.symmetric, texture.alpha > 0)
    resample = None if settings.resample is None else settings.resample.interpolator
    return repr((filters, sorted(features.classes), ways, resample))


@cache
def _machine() -> str:
    """What compiled code depends on: this version and its source files, numba, the processor."""
    import llvmlite.binding
    import numba

    source = Path(__file__).parents[1]
    files = [*(source / "features").rglob("*.py"), *(source / "preprocessing").glob("*.py")]
    stamps = [f"{file.name} {file.stat().st_mtime_ns}" for file in sorted(files)]
    return " ".join([__version__, numba.__version__, llvmlite.binding.get_host_cpu_name(), *stamps])


def _write(mark: Path) -> None:
    """Leave the mark; where no folder can be written numba keeps nothing either."""
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError:
        return
