"""What is wrong with one patient's files: each image is read once, with every mask that belongs to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glottis._errors import GlottisError
from glottis.data.cohort import Case, MaskSource, Scan
from glottis.data.volume import Mask, Volume
from glottis.io.images import read_masks, read_volume
from glottis.io.segments import LabelError
from glottis.study.check.finding import Finding, Limits, Severity, errors_of, from_error

LARGEST_SHARE = 0.5
GreyLevels = Callable[[Volume, Mask, str], int]


@dataclass(frozen=True, kw_only=True)
class CaseTask:
    """One patient to examine; travels to a worker process."""

    case: Case
    limits: Limits
    grey_levels: GreyLevels | None = None


@dataclass(frozen=True, kw_only=True)
class CaseReport:
    """What one patient's files say.

    Attributes:
        patient: the manifest's id.
        findings: problems of this patient alone.
        pixel_hashes: hash of the voxel values by sequence; equal pictures have equal hashes whatever their file type.
        grey_levels: number of grey levels inside the mask by sequence.
        spacings_mm: voxel size by sequence, ``(z, y, x)``.
    """

    patient: str
    findings: tuple[Finding, ...] = ()
    pixel_hashes: dict[str, str] = field(default_factory=dict)
    grey_levels: dict[str, int] = field(default_factory=dict)
    spacings_mm: dict[str, tuple[float, float, float]] = field(default_factory=dict)


def check_case(task: CaseTask) -> CaseReport:
    """Read every image and mask of a patient once and say what is wrong with them."""
    report = CaseReport(patient=task.case.patient)
    findings = [finding for scan in task.case.scans.values() for finding in _check_scan(scan, task, report)]
    return replace(report, findings=tuple(findings))


def _check_scan(scan: Scan, task: CaseTask, report: CaseReport) -> list[Finding]:
    where = {"patient": task.case.patient, "sequence": scan.sequence}
    sources = [scan.mask, *scan.repeats]
    files = [scan.image, *(source.source for source in sources)]
    findings = [_missing_file(path, where) for path in files if isinstance(path, Path) and not path.exists()]
    if _is_missing(scan.image):
        return findings
    try:
        image = read_volume(scan.image, thorough=True) if isinstance(scan.image, Path) else scan.image
    except GlottisError as error:
        return [*findings, _shortened(from_error(error, code="unreadable-image", **where), scan.image)]
    report.pixel_hashes[scan.sequence] = pixel_hash(image)
    report.spacings_mm[scan.sequence] = image.spacing_mm
    findings += _check_image(image, where)
    masks: list[Mask | None] = []
    for source in sources:
        mask, problems = _read_mask(source, image, task.limits, where)
        findings += problems
        masks.append(mask)
    findings += _copied(masks, sources, where)
    if masks[0] is not None and task.grey_levels is not None and not errors_of(findings):
        try:
            report.grey_levels[scan.sequence] = task.grey_levels(image, masks[0], scan.sequence)
        except GlottisError as error:
            findings.append(from_error(error, code="preprocessing", **where))
    return findings


def _check_image(image: Volume, where: dict[str, str]) -> list[Finding]:
    low, high = image.voxels.min(), image.voxels.max()
    if low < high:
        return []
    return [
        Finding(
            severity="error", code="empty-image", message=f"Every voxel of the image has the value {low:g}.",
            remedy="Export the image again.", **where,
        )
    ]  # fmt: skip


def _read_mask(
    source: MaskSource, image: Volume, limits: Limits, where: dict[str, str]
) -> tuple[Mask | None, list[Finding]]:
    """A delineation that can be measured, or ``None``, and what is wrong with it."""
    if _is_missing(source.source):
        return None, []
    lesions = "union" if source.lesions == "each" else source.lesions
    try:
        (mask,) = read_masks(replace(source, lesions=lesions), image)
    except LabelError as error:
        return None, [_shortened(from_error(error, code="label-absent", **where), source.source)]
    except GlottisError as error:
        return None, [_shortened(from_error(error, code="unreadable-mask", **where), source.source)]
    problems = [
        _speaking_of(problem, source)
        for problem in [*_check_grid(mask, image, limits, where), *_check_extent(mask, limits, where)]
    ]
    usable = not errors_of(problems)
    return (mask if usable else None), problems


def _check_grid(mask: Mask, image: Volume, limits: Limits, where: dict[str, str]) -> list[Finding]:
    difference = image.grid_difference(mask, tolerance=limits.geometry_tolerance)
    if not difference:
        return []
    remedy = "Draw or export the mask on this very image."
    if not difference.startswith("size"):
        remedy += " Where the shift is a rounding error, raise geometry_tolerance above it."
    message = f"Image and mask lie on different grids: {difference} (tolerance {limits.geometry_tolerance:g})."
    return [Finding(severity="error", code="geometry", message=message, remedy=remedy, **where)]


def _check_extent(mask: Mask, limits: Limits, where: dict[str, str]) -> list[Finding]:
    """Empty, one voxel, one slice, or smaller than the limit."""

    def finding(severity: Severity, code: str, message: str, remedy: str) -> list[Finding]:
        return [Finding(severity=severity, code=code, message=message, remedy=remedy, **where)]

    count = mask.n_voxels
    if count == 0:
        return finding("error", "empty-mask", "The mask is empty.", "Draw the lesion, or correct the label.")
    if count == 1:
        message = "The mask holds a single voxel, which has no texture and no shape."
        return finding("error", "one-voxel-mask", message, "Redraw the lesion, or leave the patient out.")
    found = []
    n_slices = int(mask.voxels.any(axis=(1, 2)).sum())
    if n_slices == 1 and mask.shape[0] > 1:
        message = f"The mask lies on one slice of {mask.shape[0]}; 3D shape and texture are then those of a disc."
        found += finding("warning", "one-slice-mask", message, "Make sure that the whole lesion was drawn.")
    if count > LARGEST_SHARE * mask.voxels.size:
        message = f"The mask covers {100 * count / mask.voxels.size:.0f}% of the image."
        found += finding("warning", "huge-mask", message, "Make sure that it is a mask, and of the right label.")
    diameter = largest_diameter_mm(mask)
    if diameter < limits.minimum_diameter_mm:
        message = (
            f"The largest cross-section of the mask is {diameter:.1f} mm wide (greatest distance across any one slice, "
            f"pixel edges included), below {limits.minimum_diameter_mm:g} mm."
        )
        found += finding("warning", "small-mask", message, "Check the mask; if the lesion is that small, exclude it.")
    return found


def largest_diameter_mm(mask: Mask) -> float:
    """Greatest distance in mm between two pixel corners of the mask on any one slice (along z)."""
    return max((_slice_diameter(plane, mask.spacing_mm[1:]) for plane in mask.voxels if plane.any()), default=0.0)


def _slice_diameter(plane: NDArray[np.bool_], spacing: tuple[float, ...]) -> float:
    """Only the two ends of each row can lie on the outline's convex hull."""
    rows = np.flatnonzero(plane.any(axis=1))
    first = plane[rows].argmax(axis=1)
    last = plane.shape[1] - plane[rows, ::-1].argmax(axis=1)
    y = np.concatenate([rows, rows + 1, rows, rows + 1]) * spacing[0]
    x = np.concatenate([first, first, last, last]) * spacing[1]
    return float(np.sqrt((y[:, None] - y) ** 2 + (x[:, None] - x) ** 2).max())


def pixel_hash(image: Volume) -> str:
    """Hash of the voxel values in single precision and of their arrangement, the same for every pixel type."""
    values = np.ascontiguousarray(image.voxels, dtype=np.float32)
    return hashlib.blake2b(repr(image.shape).encode() + values.tobytes(), digest_size=16).hexdigest()


def _copied(masks: list[Mask | None], sources: list[MaskSource], where: dict[str, str]) -> list[Finding]:
    """Further delineations that equal the first voxel by voxel were copied, not drawn."""
    first = masks[0]
    if first is None:
        return []
    return [
        Finding(
            severity="warning", code="copied-mask", message=f"{_who(source)} equals the first mask voxel by voxel.",
            remedy="Give the mask that was drawn anew; a copy makes every feature look reproducible.", **where,
        )
        for mask, source in zip(masks[1:], sources[1:], strict=True)
        if mask is not None and np.array_equal(mask.voxels, first.voxels)
    ]  # fmt: skip


def _speaking_of(finding: Finding, source: MaskSource) -> Finding:
    if source.reader == "A" and source.round == 1:
        return finding
    return replace(finding, message=f"{_who(source)}: {finding.message}")


def _who(source: MaskSource) -> str:
    return f"The mask of reader {source.reader}, round {source.round}"


def _is_missing(source: Path | Volume) -> bool:
    return isinstance(source, Path) and not source.exists()


def _missing_file(path: Path, where: dict[str, str]) -> Finding:
    message = f"File {'/'.join(path.parts[-2:])} does not exist."
    return Finding(
        severity="error", code="missing-file", message=message,
        remedy="Correct its path in the manifest, or bring the file.", **where,
    )  # fmt: skip


def _shortened(finding: Finding, path: Path | Volume) -> Finding:
    """Name a file by its folder and name; the full path is in the manifest."""
    if not isinstance(path, Path):
        return finding
    short = "/".join(path.parts[-2:])
    return replace(finding, message=finding.message.replace(str(path), short))
