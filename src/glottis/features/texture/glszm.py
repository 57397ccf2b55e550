"""Grey level size zone matrix: sizes of connected zones of one grey level (IBSI 9SAK)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis.features.texture._emphasis import measure

MEASURES = {
    "GrayLevelNonUniformity": "level_nonuniformity",
    "GrayLevelNonUniformityNormalized": "level_nonuniformity_normalised",
    "GrayLevelVariance": "level_variance",
    "HighGrayLevelZoneEmphasis": "high",
    "LargeAreaEmphasis": "large",
    "LargeAreaHighGrayLevelEmphasis": "large_high",
    "LargeAreaLowGrayLevelEmphasis": "large_low",
    "LowGrayLevelZoneEmphasis": "low",
    "SizeZoneNonUniformity": "size_nonuniformity",
    "SizeZoneNonUniformityNormalized": "size_nonuniformity_normalised",
    "SmallAreaEmphasis": "small",
    "SmallAreaHighGrayLevelEmphasis": "small_high",
    "SmallAreaLowGrayLevelEmphasis": "small_low",
    "ZoneEntropy": "entropy",
    "ZonePercentage": "percentage",
    "ZoneVariance": "size_variance",
}


def features(zone_ranks: NDArray[Any], zone_sizes: NDArray[Any], levels: NDArray[Any]) -> dict[str, float]:
    """Size zone features.

    Args:
        zone_ranks: ``(Z,)``, position of each zone's grey level in ``levels``, counted from 1.
        zone_sizes: ``(Z,)``, voxels of each zone.
        levels: ``(G,)`` grey levels present.
    """
    (sizes,) = np.nonzero(np.bincount(zone_sizes))
    column_of_size = np.zeros(sizes[-1] + 1, dtype=np.int64)
    column_of_size[sizes] = np.arange(len(sizes))
    cells = (zone_ranks - 1) * len(sizes) + column_of_size[zone_sizes]
    counts = np.bincount(cells, minlength=len(levels) * len(sizes)).astype(np.int32).reshape(1, len(levels), len(sizes))
    found = measure(counts, levels, sizes)
    return {name: float(found[source][0]) for name, source in MEASURES.items()}
