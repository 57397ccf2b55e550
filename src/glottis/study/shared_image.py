"""Rows of a batch that share image and mask: both are opened once, each label is kept on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from glottis import __version__
from glottis._errors import ImageError
from glottis.data.cohort import Lesions
from glottis.data.named_values import NamedValues
from glottis.data.volume import LabelMap, Mask, Volume
from glottis.io.images import on_image_grid, read_label_map, read_volume
from glottis.io.manifest import BatchRow
from glottis.io.segments import split_lesions
from glottis.study import diagnostics
from glottis.study.case import CaseSettings, extract_case
from glottis.study.extraction import FAILURES, digest_of, reason_of
from glottis.study.parameters import Parameters
from glottis.study.store import ResultCache, content_key


@dataclass(frozen=True, kw_only=True)
class SharedImage:
    """Rows of one image and one mask file.

    Attributes:
        rows: of the batch; they name the same files.
        parameters: a parameter file, read.
        lesions: how several lesions of one label count.
        cache: folder of finished labels; ``None`` keeps nothing.
    """

    rows: tuple[BatchRow, ...]
    parameters: Parameters
    lesions: Lesions = "union"
    cache: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """Features of one label (or one lesion of it), or the reason why there are none."""

    row: BatchRow
    label: int | None
    lesion: int = 0
    features: Mapping[str, float] = field(default_factory=dict)
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.features, NamedValues):
            object.__setattr__(self, "features", NamedValues(self.features))


def extract_shared(task: SharedImage) -> list[Line]:
    """Every line of the rows, in their order; what goes wrong with a label is part of its line."""
    opened = _Opened(task)
    return [line for row in task.rows for line in _of_row(row, opened)]


class _Opened:
    """The files of a task, each read when it is first needed and once."""

    def __init__(self, task: SharedImage) -> None:
        self.task = task
        self._labels: dict[int, tuple[LabelMap, dict[str, Any]]] = {}

    @cached_property
    def key(self) -> tuple[str, str]:
        """Hashes of image and mask."""
        row = self.task.rows[0]
        return digest_of(row.image), digest_of(row.mask)

    @cached_property
    def image(self) -> Volume:
        """The image as it was read."""
        source = self.task.rows[0].image
        return read_volume(source) if isinstance(source, Path) else source

    @cached_property
    def image_facts(self) -> dict[str, Any]:
        """Diagnostics of the image as it was read."""
        return diagnostics.file_image_facts(self.image)

    @cached_property
    def prepared(self) -> tuple[Volume, CaseSettings]:
        """The image after the steps that look at all of it, which no mask changes, and the settings that are left."""
        image, settings = self.image, self.task.parameters.case
        anywhere = Mask(voxels=np.broadcast_to(np.True_, image.shape), spacing_mm=image.spacing_mm)
        for step in settings.whole_image:
            image, _ = step(image, anywhere)
        return image, replace(settings, whole_image=())

    def labels(self, channel: int) -> tuple[LabelMap, dict[str, Any]]:
        """The labels of the mask file and, where asked for, their hash."""
        if channel not in self._labels:
            source = self.task.rows[0].mask
            found = read_label_map(source, channel=channel) if isinstance(source, Path) else source
            if not isinstance(found, LabelMap):
                found = LabelMap(
                    voxels=found.voxels, spacing_mm=found.spacing_mm, origin_mm=found.origin_mm,
                    direction=found.direction,
                )  # fmt: skip
            wanted = self.task.parameters.case.additional_info
            self._labels[channel] = found, diagnostics.label_hash(found) if wanted else {}
        return self._labels[channel]


def _of_row(row: BatchRow, opened: _Opened) -> Iterator[Line]:
    parameters = opened.task.parameters
    channel = parameters.label_channel if row.channel is None else row.channel
    wanted = (parameters.label,) if row.labels is None else row.labels
    try:
        labels = _every_label(opened, channel, row) if wanted == "all" else wanted
    except FAILURES as error:
        yield Line(row=row, label=None, error=reason_of(error))
        return
    for label in labels:
        yield from _of_label(row, label, channel, opened)


def _every_label(opened: _Opened, channel: int, row: BatchRow) -> tuple[int, ...]:
    labels = opened.labels(channel)[0].labels()
    if not labels:
        message = f"Mask {_name(row)} holds no label above 0: check that it was saved with its segmentation."
        raise ImageError(message)
    return labels


def _of_label(row: BatchRow, label: int, channel: int, opened: _Opened) -> list[Line]:
    """Lines of one label, stored or computed; a failure is not kept, its reason may lie outside the files."""
    task = opened.task
    cache = None if task.cache is None else ResultCache(task.cache)
    try:
        key = content_key(*opened.key, channel, label, task.lesions, _settings(task), __version__) if cache else ""
        stored = cache.get(key) if cache else None
        computed = [] if stored is not None else list(_compute(row, label, channel, opened))
    except OSError as error:
        return [Line(row=row, label=label, error=_reason_of_file(error))]
    except FAILURES as error:
        return [Line(row=row, label=label, error=reason_of(error))]
    if stored is None and cache:
        cache.put(key, computed)
    lines = computed if stored is None else stored
    return [Line(row=row, label=label, **{**line, "warnings": tuple(line["warnings"])}) for line in lines]


def _reason_of_file(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"File '{error.filename}' does not exist: correct its path in the table."
    return f"'{error.filename}' cannot be read ({error.strerror or error}): check the disk."


def _settings(task: SharedImage) -> list[Any]:
    case = task.parameters.case
    return [case.content_key(), repr(task.parameters.content) if case.additional_info else ""]


def _compute(row: BatchRow, label: int, channel: int, opened: _Opened) -> Iterator[dict[str, Any]]:
    image, settings = opened.prepared
    labels, hashed = opened.labels(channel)
    drawn = labels.mask(label)
    if not drawn.voxels.any():
        there = ", ".join(str(value) for value in labels.labels()) or "no label above 0"
        message = f"Label {label} is absent from mask {_name(row)}, which holds {there}: correct the label."
        raise ImageError(message)
    if not settings.correct_mask:
        drawn = on_image_grid(drawn, image)
    for lesion, voxels in enumerate(split_lesions(drawn.voxels, opened.task.lesions)):
        mask = drawn.with_voxels(voxels)
        before: dict[str, Any] = {}
        if settings.additional_info:
            own = {"label": label, "label_channel": row.channel}
            before = diagnostics.versions() | diagnostics.configuration(opened.task.parameters.content, **own)
            before |= opened.image_facts | hashed | diagnostics.mask_facts(mask, "original")
        case = extract_case(image, mask, settings)
        yield {
            "lesion": lesion,
            "features": case.features,
            "diagnostics": before | case.diagnostics,
            "warnings": list(case.warnings),
        }


def _name(row: BatchRow) -> str:
    return f"'{row.mask}'" if isinstance(row.mask, Path) else "in memory"
