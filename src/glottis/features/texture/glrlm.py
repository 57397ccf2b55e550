"""Grey level run length matrix: lengths of runs of one grey level along thirteen directions (IBSI TP0I)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.features.texture._emphasis import measure

MEASURES = {
    "GrayLevelNonUniformity": "level_nonuniformity",
    "GrayLevelNonUniformityNormalized": "level_nonuniformity_normalised",
    "GrayLevelVariance": "level_variance",
    "HighGrayLevelRunEmphasis": "high",
    "LongRunEmphasis": "large",
    "LongRunHighGrayLevelEmphasis": "large_high",
    "LongRunLowGrayLevelEmphasis": "large_low",
    "LowGrayLevelRunEmphasis": "low",
    "RunEntropy": "entropy",
    "RunLengthNonUniformity": "size_nonuniformity",
    "RunLengthNonUniformityNormalized": "size_nonuniformity_normalised",
    "RunPercentage": "percentage",
    "RunVariance": "size_variance",
    "ShortRunEmphasis": "small",
    "ShortRunHighGrayLevelEmphasis": "small_high",
    "ShortRunLowGrayLevelEmphasis": "small_low",
}


def features(
    runs: NDArray[Any], levels: NDArray[Any], used: NDArray[np.bool_], weights: NDArray[Any] | None = None
) -> dict[str, float]:
    """Run length features, each averaged over the directions in use, or of their weighted sum.

    Args:
        runs: ``(13, G, L)``, runs by direction, grey level and length - 1.
        levels: ``(G,)`` grey levels present.
        used: ``(13,)``, directions along which some line holds two voxels of the mask. None: every feature is NaN.
        weights: ``(13,)``, adds the directions in use up; None averages their features.
    """
    if not used.any():
        return dict.fromkeys(MEASURES, float("nan"))
    runs = runs if used.all() else runs[used]
    if weights is not None:
        runs = np.tensordot(weights[used], runs, axes=1)[None]
    found = measure(runs, levels, np.arange(1, runs.shape[2] + 1))
    return {name: float(found[source].mean()) for name, source in MEASURES.items()}
