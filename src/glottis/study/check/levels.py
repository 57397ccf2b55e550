"""How many grey levels the texture features of a study would see inside a mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from glottis.data.volume import Mask, Volume
from glottis.features.filters import Original
from glottis.preprocessing.bias import N4
from glottis.study.case import CaseSettings, extract_case


@dataclass(frozen=True)
class StudyGreyLevels:
    """Grey levels of the unfiltered image after a study's own preprocessing.

    Bias-field correction is left out: it takes most of the time and hardly changes the count.

    Attributes:
        settings: by sequence.
    """

    settings: Mapping[str, CaseSettings]

    def __call__(self, image: Volume, mask: Mask, sequence: str) -> int:
        """Number of grey levels.

        Raises:
            ImageError: the mask does not survive the preprocessing.
        """
        settings = self.settings[sequence]
        range_only = replace(settings.features, filters=(Original(),), classes={"firstorder": ("Minimum", "Maximum")})
        steps = tuple(step for step in settings.whole_image if not isinstance(step, N4))
        result = extract_case(image, mask, replace(settings, whole_image=steps, features=range_only))
        return result.n_bins["original"]
