"""How noisy an image is."""

from __future__ import annotations

import numpy as np
import pywt
from scipy import ndimage, stats

from glottis.data.volume import Volume


def noise_level(image: Volume) -> float:
    """Standard deviation of the noise of an image, in its unit, by the median of its finest diagonal details.

    Chang, Yu and Vetterli, IEEE Trans Image Process 2000;9:1532-46, as Zwanenburg et al. 2019 use it: the HH band of
    the stationary coif1 wavelet in every slice, ``median(abs(HH)) / 0.6745``. Noise that neighbours share (after
    smoothing or interpolation) is underestimated; where most of the image is constant, as padding is, the level is 0.

    Args:
        image: the image; texture as fine as a voxel counts as noise.
    """
    high = np.asarray(pywt.Wavelet("coif1").dec_hi)
    details = ndimage.convolve1d(image.voxels.astype(np.float64), high, axis=1)
    details = ndimage.convolve1d(details, high, axis=2)
    return float(np.median(np.abs(details)) / stats.norm.ppf(0.75))
