"""Small images and label maps made from arithmetic alone: the same numbers in every version of NumPy."""

import numpy as np

SHAPE, SPACING, ORIGIN = (14, 24, 28), (0.9, 1.1, 2.5), (-12.5, 30.25, 7.0)
TURNED = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)
"""A quarter turn about z."""

CASES = {
    "defaults": ("int16", "two labels", {}, {}),
    "second label": ("int16", "two labels", {}, {"label": 2}),
    "floating point": ("float32", "two labels", {"setting": {"binWidth": 10.0}}, {}),
    "resampled": (
        "float32",
        "two labels",
        {"setting": {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkLinear", "padDistance": 3}},
        {},
    ),
    "resampled whole numbers": ("int16", "two labels", {"setting": {"resampledPixelSpacing": [1, 1, 0]}}, {}),
    "spacing as it is": ("int16", "two labels", {"setting": {"resampledPixelSpacing": [0.9, 1.1, 2.5]}}, {}),
    "re-segmented": ("int16", "two labels", {"setting": {"resegmentRange": [-20, 30]}}, {}),
    "normalised, resampled, re-segmented": (
        "int16",
        "two labels",
        {
            "setting": {
                "normalize": True,
                "normalizeScale": 100,
                "resampledPixelSpacing": [1, 1, 1],
                "resegmentRange": [-1, 1],
                "resegmentMode": "sigma",
            }
        },
        {},
    ),
    "cropped first": ("int16", "two labels", {"setting": {"preCrop": True, "resegmentRange": [-20, 30]}}, {}),
    "cropped mask, corrected": ("int16", "cropped", {"setting": {"correctMask": True}}, {"label": 2}),
    "cropped mask, resampled": ("int16", "cropped", {"setting": {"resampledPixelSpacing": [1, 1, 1]}}, {"label": 2}),
    "two components": (
        "int16",
        "two components",
        {"imageType": {"Wavelet": {"wavelet": "haar"}}},
        {"label_channel": 1},
    ),
    "fractions in the mask": ("int16", "fractions", {}, {}),
}
"""Pixel type, kind of mask, parameter file, and what the row says itself."""


def generated_scan(pixel_type, mask_kind):
    """Arguments of an image and of a label map: voxels ``(z, y, x)`` and their place."""
    z, y, x = np.meshgrid(*(np.arange(size) for size in SHAPE), indexing="ij")
    values = (37 * x * x + 61 * y * z + 17 * z * z * x + 5 * y) % 211 - 60
    labels = np.zeros(SHAPE, dtype=np.uint8)
    labels[(z - 7) ** 2 * 3 + (y - 11) ** 2 + (x - 12) ** 2 < 50] = 1
    labels[2:4, 3:6, 20:24] = 1
    labels[8:12, 14:20, 17:25] = 2
    place = {"spacing": SPACING, "origin": ORIGIN, "direction": TURNED}
    image = {"voxels": values.astype(pixel_type) / (4 if pixel_type == "float32" else 1), **place}
    image["voxels"] = image["voxels"].astype(pixel_type)
    if mask_kind == "cropped":
        corner = np.reshape(TURNED, (3, 3)) @ (np.array([15, 12, 6]) * SPACING)
        return image, {"voxels": labels[6:, 12:, 15:].copy(), **place, "origin": tuple((ORIGIN + corner).tolist())}
    if mask_kind == "two components":
        return image, {"voxels": np.stack([labels == 2, labels == 1], axis=-1).astype(np.uint8), **place}
    if mask_kind == "fractions":
        return image, {
            "voxels": np.where(labels == 1, 1.75, np.where(labels == 2, 0.75, 0)).astype(np.float32),
            **place,
        }
    return image, {"voxels": labels, **place}
