"""Images and masks for benchmarks/engine.py: real ones by path, generated lesions of a chosen number of voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

Pair = tuple[Path, Path]
REAL = {
    "brain1": ("pyradiomics/data/brain1_image.nrrd", "pyradiomics/data/brain1_label.nrrd"),
    "brain2": ("pyradiomics/data/brain2_image.nrrd", "pyradiomics/data/brain2_label.nrrd"),
    "breast1": ("pyradiomics/data/breast1_image.nrrd", "pyradiomics/data/breast1_label.nrrd"),
    "STS_002 T1 MR": ("sts/STS_002/MR_T1_image.nii.gz", "sts/STS_002/MR_T1_mask.nii.gz"),
    "STS_002 CT": ("sts/STS_002/CT_image.nii.gz", "sts/STS_002/CT_mask.nii.gz"),
    "STS_018 T1 MR": ("sts/STS_018/MR_T1_image.nii.gz", "sts/STS_018/MR_T1_mask.nii.gz"),
    "STS_018 PET": ("sts/STS_018/PET_image.nii.gz", "sts/STS_018/PET_mask.nii.gz"),
}
SYNTHETIC, SMALL = "synthetic, 80,000 voxels", "800 voxels in 512x512x60"


def warm_cases(data: Path, folder: Path) -> dict[str, Pair]:
    """The real cases, and the two generated ones, which are written to ``folder``."""
    cases = {name: (data / image, data / mask) for name, (image, mask) in REAL.items()}
    refuse_absent([path for pair in cases.values() for path in pair])
    cases[SYNTHETIC] = lesion(folder, "synthetic", 80_000, size=(64, 128, 128))
    cases[SMALL] = lesion(folder, "small", 800, size=(60, 512, 512), spacing=(0.8, 0.8, 1.5))
    return cases


def sarcomas(data: Path, number: int) -> list[Pair]:
    """The first ``number`` scans of the STS data, MR before CT before PET."""
    masks = [mask for kind in ("MR_T1", "CT", "PET") for mask in sorted(data.glob(f"sts/STS_*/{kind}_mask.nii.gz"))]
    pairs = [(mask.with_name(mask.name.replace("_mask", "_image")), mask) for mask in masks[:number]]
    if len(pairs) < number:
        raise SystemExit(f"{data / 'sts'} holds {len(pairs)} scans and {number} are asked for: give --data or fewer.")
    refuse_absent([path for pair in pairs for path in pair])
    return pairs


def small_cases(folder: Path, number: int) -> list[Pair]:
    """``number`` cases of about 2,000 voxels: ten lesions under many names, since one name is read only once."""
    drawn = [lesion(folder, f"drawn{seed}", 2000, seed=seed) for seed in range(10)]
    pairs = []
    for case in range(number):
        pair = (folder / f"case{case}_image.nii.gz", folder / f"case{case}_mask.nii.gz")
        for path, target in zip(pair, drawn[case % len(drawn)], strict=True):
            if not path.exists():
                path.symlink_to(target)
        pairs.append(pair)
    return pairs


def lesion(
    folder: Path,
    name: str,
    voxels: int,
    *,
    size: tuple[int, int, int] | None = None,
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    seed: int = 2026,
) -> Pair:
    """An ellipsoid of about ``voxels`` voxels in smoothed noise, as compressed NIfTI of int16 and uint8.

    ``size`` is that of the volume (z, y, x) in voxels, where ``None`` leaves 20 on each side of a sphere; ``spacing``
    is (x, y, z) in mm.
    """
    pair = (folder / f"{name}_image.nii.gz", folder / f"{name}_mask.nii.gz")
    if all(path.exists() for path in pair):
        return pair
    radius = (voxels * 3 / (4 * np.pi)) ** (1 / 3)
    shape = size or (2 * int(np.ceil(radius)) + 40,) * 3
    flat = min(1.0, 0.45 * shape[0] / radius)  # a thin volume flattens the sphere
    radii = (radius * flat, radius / np.sqrt(flat), radius / np.sqrt(flat))
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    inside = sum(((axis - n // 2) / r) ** 2 for axis, n, r in zip(axes, shape, radii, strict=True)) <= 1
    random = np.random.default_rng(seed)
    texture = ndimage.gaussian_filter(random.standard_normal(shape, dtype=np.float32), 2)
    noise = random.standard_normal(shape, dtype=np.float32)
    intensities = 600 + 100 * texture / texture.std() + 20 * noise + 150 * inside
    for path, array in zip(pair, (intensities.astype(np.int16), inside.astype(np.uint8)), strict=True):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(spacing)
        sitk.WriteImage(image, str(path), useCompression=True)
    return pair


def refuse_absent(paths: list[Path]) -> None:
    """End with the names of the files that are not there."""
    absent = [str(path) for path in paths if not path.exists()]
    if absent:
        raise SystemExit(f"These files are absent: {', '.join(absent)}. Give the folder of real data with --data.")
