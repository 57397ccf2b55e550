"""Nyul's landmarks, learnt on the images of training patients only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from glottis import __version__
from glottis.data.cohort import Case
from glottis.data.volume import Mask, Volume
from glottis.io.images import read_masks, read_volume
from glottis.preprocessing.nyul import NyulStandardiser, NyulTransform, percentile_row, region_intensities
from glottis.study.extraction import ScanTask, scan_key
from glottis.study.parallel import Progress, map_units, silent
from glottis.study.spec import Study
from glottis.study.store import ResultCache, content_key
from glottis.study.tabulate import scan_tasks


def nyul_sequences(study: Study) -> list[str]:
    """The sequences that the study normalises by Nyul's method."""
    return [name for name in study.sequences if study.preprocessing_of(name).normalise.method == "nyul"]


def learn_landmarks(
    study: Study, training: Iterable[Case], *, cache: Path, jobs: int, progress: Progress = silent
) -> dict[str, NyulTransform]:
    """Landmarks of every sequence that needs them.

    Args:
        study: the study.
        training: the training patients of one partition; no other image is opened.
        cache: folder of finished percentiles.
        jobs: worker processes.
        progress: told after every image.
    """
    wanted = nyul_sequences(study)
    if not wanted:
        return {}
    tasks = [
        replace(task, masks=task.masks[:1], picture=False)
        for task in scan_tasks(study, training, cache=cache)
        if task.sequence in wanted
    ]
    rows = map_units(percentiles_of, tasks, jobs=jobs, stage="landmarks", progress=progress)
    transforms = {}
    for name in wanted:
        own = [np.array(row) for task, row in zip(tasks, rows, strict=True) if task.sequence == name]
        block = study.preprocessing_of(name).normalise
        scale = (block.shift, block.shift + block.scale)
        transforms[name] = NyulStandardiser(scale=scale).fit(own).to_step()
    return transforms


def percentiles_of(task: ScanTask) -> list[float]:
    """Percentiles of one image after the steps that come before normalisation."""
    cache = ResultCache(task.cache) if task.cache is not None else None
    key = content_key("percentiles", scan_key(task), __version__)
    stored: list[float] | None = cache.get(key) if cache else None
    if stored is None:
        image: Volume = read_volume(task.image) if isinstance(task.image, Path) else task.image
        mask: Mask = read_masks(task.masks[0], image)[0]
        for step in task.settings.whole_image:
            image, mask = step(image, mask)
        stored = percentile_row(region_intensities(image, mask)).tolist()
        if cache:
            cache.put(key, stored)
    return stored
