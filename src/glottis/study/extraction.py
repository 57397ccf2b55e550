"""Features of many scans: in parallel, kept one by one, a failure never stops the others."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis import __version__
from glottis._errors import GlottisError
from glottis.data.cohort import MaskSource
from glottis.data.volume import Mask, Volume
from glottis.io.files import sha256_path
from glottis.io.images import read_masks, read_volume
from glottis.preprocessing.normalise import WithinMaskZScore
from glottis.study.case import CaseSettings, extract_case
from glottis.study.parallel import Progress, map_units, silent
from glottis.study.store import ResultCache, content_key
from glottis.study.warmup import compile_kernels

THUMBNAIL = 96  # pixels a side of a picture on the mask sheet


FAILURES = (GlottisError, RuntimeError, MemoryError)
"""What ends one scan and leaves the others running; ITK's errors are RuntimeErrors."""


@dataclass(frozen=True, kw_only=True)
class ScanTask:
    """One image with one or several masks of the same lesion.

    Attributes:
        patient: the manifest's id.
        sequence: the sequence's name.
        image: file, DICOM folder or image in memory.
        masks: the primary mask first, then those of other readers and rounds.
        settings: everything between files and features.
        cache: folder of finished results; ``None`` keeps nothing.
        picture: also keep a small slice with its mask, for the mask sheet.
    """

    patient: str
    sequence: str
    image: Path | Volume
    masks: tuple[MaskSource, ...]
    settings: CaseSettings
    cache: Path | None = None
    picture: bool = False


@dataclass(frozen=True, kw_only=True)
class Delineation:
    """Features of one mask (or one lesion of it), or the reason why there are none."""

    reader: str
    round: int
    lesion: int
    features: Mapping[str, float] = field(default_factory=dict)
    n_bins: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class ScanResult:
    """What came of one scan: a row for each delineation, and the picture for the mask sheet."""

    patient: str
    sequence: str
    rows: tuple[Delineation, ...]
    picture: NDArray[np.uint8] | None = None
    """``(2, THUMBNAIL, THUMBNAIL)``: grey values and mask of the slice with the largest cross-section."""

    @property
    def error(self) -> str:
        """Why the primary mask gave no features; empty where it did."""
        return self.rows[0].error


def extract_scans(tasks: Sequence[ScanTask], *, jobs: int = 1, progress: Progress = silent) -> list[ScanResult]:
    """Extract every scan; results come in the order of ``tasks``.

    A scan whose result is in its cache is not computed again, whoever put it there. A failure is not kept: its reason
    may lie outside the scan (a library that is not installed, a disk that does not answer).
    """
    compile_kernels([task.settings for task in tasks], progress=progress)
    return map_units(extract_scan, tasks, jobs=jobs, stage="features", progress=progress)


def extract_scan(task: ScanTask) -> ScanResult:
    """Extract one scan, or take its stored result; what goes wrong with it is part of the result."""
    cache = ResultCache(task.cache) if task.cache is not None else None
    try:
        key = scan_key(task)
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            return _failed(task, f"File '{error.filename}' does not exist: correct its path in the table.")
        return _failed(task, f"'{error.filename}' cannot be read ({error.strerror or error}): check the disk.")
    except GlottisError as error:
        return _failed(task, str(error))
    stored = cache.get(key) if cache else None
    if stored is None:
        stored = _compute(task)
        if cache and not any(row.get("error") for row in stored["rows"]):
            cache.put(key, stored)
    return _unpack(task, stored)


def scan_key(task: ScanTask) -> str:
    """Content key of a scan: image and mask bytes, settings and version of the engine."""
    masks = [[digest_of(m.source), m.label, m.segment, m.lesions, m.reader, m.round] for m in task.masks]
    return content_key(digest_of(task.image), masks, task.settings.content_key(), task.picture, __version__)


def _compute(task: ScanTask) -> dict[str, Any]:
    try:
        image = read_volume(task.image) if isinstance(task.image, Path) else task.image
        prepared, settings = _prepare(image, task)
    except FAILURES as error:
        return {"rows": [_row(source, 0, error=reason_of(error)) for source in task.masks], "picture": None}
    rows = []
    picture = None
    for source in task.masks:
        try:
            for lesion, mask in enumerate(read_masks(source, image)):
                case = extract_case(prepared, mask, settings)
                rows.append(
                    _row(
                        source,
                        lesion,
                        features=dict(case.features),
                        n_bins=dict(case.n_bins),
                        warnings=list(case.warnings),
                    )
                )
                if task.picture and picture is None:
                    picture = _packed(thumbnail(image, mask))
        except FAILURES as error:
            rows.append(_row(source, 0, error=reason_of(error)))
    return {"rows": rows, "picture": picture}


def _prepare(image: Volume, task: ScanTask) -> tuple[Volume, CaseSettings]:
    """Do once what does not depend on the mask, where an image has several; the rest of the settings stays."""
    steps = list(task.settings.whole_image)
    if len(task.masks) < 2:
        return image, task.settings
    anywhere = Mask(voxels=np.ones(image.shape, dtype=bool), spacing_mm=image.spacing_mm)
    while steps and not isinstance(steps[0], WithinMaskZScore):
        image, _ = steps.pop(0)(image, anywhere)
    return image, replace(task.settings, whole_image=tuple(steps))


def thumbnail(image: Volume, mask: Mask) -> NDArray[np.uint8]:
    """The slice with the largest cross-section of the mask, around it, as grey values and mask.

    Returns:
        ``(2, THUMBNAIL, THUMBNAIL)``; grey values run from the 1st to the 99th percentile of the slice's part shown.
        Pixels are square in mm.
    """
    areas = mask.voxels.sum(axis=(1, 2))
    z = int(np.argmax(areas))
    box = mask.bounding_box()
    rows, columns = box[1], box[2]
    height, width = (rows.stop - rows.start) * mask.spacing_mm[1], (columns.stop - columns.start) * mask.spacing_mm[2]
    side = max(height, width) * 1.6 + 10.0
    grid = (np.arange(THUMBNAIL) + 0.5) / THUMBNAIL * side - side / 2
    y = np.rint((rows.start + rows.stop - 1) / 2 + grid / mask.spacing_mm[1]).astype(int)
    x = np.rint((columns.start + columns.stop - 1) / 2 + grid / mask.spacing_mm[2]).astype(int)
    inside = ((y >= 0) & (y < image.shape[1]))[:, None] & ((x >= 0) & (x < image.shape[2]))[None, :]
    at = np.ix_(np.clip(y, 0, image.shape[1] - 1), np.clip(x, 0, image.shape[2] - 1))
    values = image.voxels[z][at].astype(float)
    low, high = np.percentile(values[inside], [1, 99])
    grey = np.clip((values - low) / max(high - low, 1e-12), 0, 1) * 255
    return np.stack([np.where(inside, grey, 0), np.where(inside, mask.voxels[z][at], 0)]).astype(np.uint8)


def reason_of(error: Exception) -> str:
    """What failed, in one line; a library's own error is named as such."""
    if isinstance(error, GlottisError):
        return str(error)
    what = (str(error).strip().splitlines() or ["no memory is left"])[-1]
    return f"{type(error).__name__} while this scan was measured: {what}; check the file, or leave the scan out."


def _row(source: MaskSource, lesion: int, **content: Any) -> dict[str, Any]:
    return {"reader": source.reader, "round": source.round, "lesion": lesion, **content}


def _failed(task: ScanTask, reason: str) -> ScanResult:
    return _unpack(task, {"rows": [_row(source, 0, error=reason) for source in task.masks], "picture": None})


def _unpack(task: ScanTask, stored: Mapping[str, Any]) -> ScanResult:
    rows = tuple(Delineation(**{**row, "warnings": tuple(row.get("warnings", ()))}) for row in stored["rows"])
    return ScanResult(patient=task.patient, sequence=task.sequence, rows=rows, picture=_unpacked(stored["picture"]))


def _packed(picture: NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(picture.tobytes(), 6)).decode()


def _unpacked(text: str | None) -> NDArray[np.uint8] | None:
    if text is None:
        return None
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(2, THUMBNAIL, THUMBNAIL)


def digest_of(source: Path | Volume) -> str:
    """SHA-256 of a file or DICOM folder, or of a volume's voxels and geometry."""
    if isinstance(source, Path):
        return sha256_path(source)
    geometry = (source.shape, str(source.voxels.dtype), source.spacing_mm, source.origin_mm, source.direction)
    return hashlib.sha256(repr(geometry).encode() + np.ascontiguousarray(source.voxels).tobytes()).hexdigest()
