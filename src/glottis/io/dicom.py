"""The slices of one DICOM series, in order, after checking that they are one complete and regular stack.

Messages name files and counts only, never a patient's name, birth date or record number.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glottis._errors import ImageError
from glottis._optional import require

SEGMENTATIONS = {"SEG": "a DICOM segmentation", "RTSTRUCT": "a DICOM structure set"}
NO_IMAGE = {"SR", "PR", "KO", "RTPLAN", "RTRECORD", "REG", "FID"}
TAGS = [
    "SeriesInstanceUID", "Modality", "Rows", "Columns", "PixelSpacing", "SamplesPerPixel", "NumberOfFrames",
    "ImagePositionPatient", "ImageOrientationPatient",
]  # fmt: skip
DIRECTION_TOLERANCE = 1e-3
SPACING_TOLERANCE_MM = 1e-3
SAME_POSITION_MM = 1e-3
IRREGULAR_SHARE = 0.1
MISSING_SHARE = 1.5


@dataclass(frozen=True, kw_only=True)
class Slice:
    """What one DICOM file says about itself."""

    file: Path
    series: str
    modality: str
    size: tuple[int, int]
    spacing: tuple[float, ...]
    samples: int
    frames: int
    position: tuple[float, ...]
    orientation: tuple[float, ...]


def series_files(path: Path) -> list[Path]:
    """Files of the one series in ``path``, ordered along the slice axis.

    Args:
        path: a folder (files that are no DICOM are passed over), or one DICOM file.

    Raises:
        ImageError: no images, several series, mixed sizes or orientations, missing or doubled slices, or a
            segmentation object where an image belongs.
        MissingExtraError: pydicom is not installed.
    """
    found = [item for file in _candidates(path) if (item := _describe(file)) is not None]
    if not found:
        message = f"'{path}' holds no DICOM image: give the folder that holds the slices of one series."
        raise ImageError(message)
    images = [item for item in found if item.modality not in SEGMENTATIONS and item.modality not in NO_IMAGE]
    if not images:
        kind = SEGMENTATIONS.get(found[0].modality, "a DICOM file without an image")
        message = (
            f"'{path}' is {kind} ({found[0].modality}), which cannot be read as an image or mask: "
            "export the mask as NIfTI or NRRD on the grid of its image (3D Slicer: Save, or Export to files)."
        )
        raise ImageError(message)
    _require_one_series(images, path)
    if len(images) == 1:
        return [images[0].file]
    _require_alike(images, path)
    return _in_order(images, path)


def _candidates(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(entry for entry in path.iterdir() if entry.is_file() and entry.name.upper() != "DICOMDIR")


def _describe(file: Path) -> Slice | None:
    pydicom = require("pydicom", extra="dicom")
    try:
        header: Any = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS)
    except (pydicom.errors.InvalidDicomError, EOFError):
        return None
    try:
        return _slice(file, header)
    except (ValueError, TypeError) as error:
        message = f"'{file}' has a damaged DICOM header: export the series again."
        raise ImageError(message) from error


def _slice(file: Path, header: Any) -> Slice:
    return Slice(
        file=file,
        series=str(header.get("SeriesInstanceUID", "")),
        modality=str(header.get("Modality", "")),
        size=(int(header.get("Rows", 0) or 0), int(header.get("Columns", 0) or 0)),
        spacing=_floats(header.get("PixelSpacing")),
        samples=int(header.get("SamplesPerPixel", 1) or 1),
        frames=int(header.get("NumberOfFrames", 1) or 1),
        position=_floats(header.get("ImagePositionPatient")),
        orientation=_floats(header.get("ImageOrientationPatient")),
    )


def _floats(value: Any) -> tuple[float, ...]:
    return tuple(float(number) for number in value) if value else ()


def _require_one_series(images: list[Slice], path: Path) -> None:
    by_series: dict[str, int] = defaultdict(int)
    for item in images:
        by_series[item.series] += 1
    if len(by_series) > 1:
        counts = ", ".join(str(count) for count in sorted(by_series.values(), reverse=True))
        message = (
            f"'{path}' mixes {len(by_series)} DICOM series ({counts} files): "
            "put each series into a folder of its own and give that folder."
        )
        raise ImageError(message)
    colour = next((item for item in images if item.samples > 1), None)
    if colour is not None:
        message = f"'{colour.file}' is a colour image ({colour.samples} samples a pixel): give a grey-scale series."
        raise ImageError(message)


def _require_alike(images: list[Slice], path: Path) -> None:
    first = images[0]
    for item in images:
        if item.frames > 1:
            message = f"'{path}' holds several multi-frame files: give one of them, '{item.file.name}' for instance."
            raise ImageError(message)
        if len(item.position) != 3 or len(item.orientation) != 6:
            message = f"'{item.file}' does not say where its slice lies (position, orientation): export it again."
            raise ImageError(message)
        what = _difference(first, item)
        if what:
            message = f"'{path}' mixes slices of different {what}, first in '{item.file.name}': separate the series."
            raise ImageError(message)


def _difference(first: Slice, item: Slice) -> str:
    if item.size != first.size:
        return f"size ({first.size[1]} x {first.size[0]} and {item.size[1]} x {item.size[0]} pixels)"
    if np.abs(np.subtract(item.orientation, first.orientation)).max() > DIRECTION_TOLERANCE:
        return "orientation"
    if len(item.spacing) != len(first.spacing):
        return "pixel spacing"
    if first.spacing and np.abs(np.subtract(item.spacing, first.spacing)).max() > SPACING_TOLERANCE_MM:
        return f"pixel spacing ({first.spacing[0]:g} and {item.spacing[0]:g} mm)"
    return ""


def _in_order(images: list[Slice], path: Path) -> list[Path]:
    """Order along the cross product of rows and columns; refuse doubles, gaps, uneven steps and a tilted stack."""
    rows, columns = np.reshape(images[0].orientation, (2, 3))
    normal = np.cross(rows, columns)
    images = sorted(images, key=lambda item: (float(np.dot(item.position, normal)), item.file.name))
    positions = np.array([item.position for item in images])
    along = positions @ normal
    steps = np.diff(along)
    if steps.min() < SAME_POSITION_MM:
        at = int(np.argmin(steps))
        message = (
            f"'{path}' holds two slices at {along[at]:.2f} mm ('{images[at].file.name}' and "
            f"'{images[at + 1].file.name}'): remove the double, or separate the time points."
        )
        raise ImageError(message)
    _require_no_gap(steps, images, along, path)
    _require_regular(positions, along, normal, path)
    return [item.file for item in images]


def _require_no_gap(steps: Any, images: list[Slice], along: Any, path: Path) -> None:
    wide = np.flatnonzero(steps > MISSING_SHARE * steps.min())
    if wide.size:
        at = int(wide[0])
        missing = round(float(steps[wide].sum() / steps.min())) - wide.size
        more = f" and {wide.size - 1} more gaps" if wide.size > 1 else ""
        message = (
            f"'{path}' lacks about {missing} slice(s): {steps[at]:.2f} mm between '{images[at].file.name}' "
            f"({along[at]:.2f} mm) and '{images[at + 1].file.name}' ({along[at + 1]:.2f} mm) where the others are "
            f"{steps.min():.2f} mm apart{more}: export the whole series again."
        )
        raise ImageError(message)


def _require_regular(positions: Any, along: Any, normal: Any, path: Path) -> None:
    step = (along[-1] - along[0]) / (len(along) - 1)
    uneven = np.abs(along - (along[0] + step * np.arange(len(along)))).max()
    if uneven > IRREGULAR_SHARE * step:
        message = (
            f"'{path}' has uneven slice distances (up to {uneven:.2f} mm off a regular {step:.2f} mm): "
            "resample it to a regular grid in the software that made it."
        )
        raise ImageError(message)
    sideways = positions - positions[0] - np.outer(along - along[0], normal)
    drift = float(np.abs(sideways).max())
    if drift > IRREGULAR_SHARE * step:
        message = (
            f"'{path}' is a tilted stack (slices shift sideways by {drift:.2f} mm, gantry tilt): "
            "correct the tilt and export it again."
        )
        raise ImageError(message)
