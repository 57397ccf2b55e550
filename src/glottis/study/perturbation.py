"""What a perturbed extraction changes in a scan, drawn for every patient, sequence and round from the study's seed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

import numpy as np

from glottis.data.volume import Mask, Volume
from glottis.preprocessing._supervoxels import MARGIN_MM
from glottis.preprocessing.moved import MovedResample
from glottis.preprocessing.perturb import AddNoise, ChangeVolume, RandomiseContour
from glottis.preprocessing.resample import Resample
from glottis.study.spec_images import Perturbations


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """One small change of image and mask.

    The order is that of Zwanenburg et al., Sci Rep 2019;9:614. Noise comes with the image, so it goes through bias
    field, normalisation and window like the rest of it. The patient's position decides where the new voxels lie, so
    turn and shift are part of resampling, which interpolates once. The outline is redrawn on the new voxels, where
    volume and supervoxels are counted.

    Attributes:
        noise: of the image as it comes; None adds none.
        degrees: of the turn in the slices.
        fraction: of a new voxel along x, y and z.
        outline: changes of the resampled mask, in order.
    """

    noise: AddNoise | None = None
    degrees: float = 0.0
    fraction: tuple[float, float, float] = (0.0, 0.0, 0.0)
    outline: tuple[ChangeVolume | RandomiseContour, ...] = ()

    def noisy(self, image: Volume, mask: Mask) -> Volume:
        """The image with its noise, before any other step."""
        return image if self.noise is None else self.noise(image, mask)[0]

    def resample(self, mask: Mask, step: Resample | None, pad: int) -> MovedResample:
        """The step that moves the image; voxels of the file stay as large as they are without ``step``.

        Args:
            mask: as it was drawn.
            step: the study's resampling.
            pad: voxels that the features need round the mask; the outline needs more.
        """
        base = Resample(spacing_mm=(0, 0, 0)) if step is None else step
        own = {one.name: getattr(base, one.name) for one in fields(base)}
        smallest = min(new or old for new, old in zip(base.spacing_mm, mask.spacing_mm[::-1], strict=True))
        margin = int(np.ceil(MARGIN_MM / smallest)) if self.outline else 0
        return MovedResample(**own | {"pad_voxels": pad + margin}, degrees=self.degrees, fraction=self.fraction)

    def redrawn(self, image: Volume, mask: Mask) -> Mask:
        """The mask with another outline."""
        for step in self.outline:
            mask = step(image, mask)[1]
        return mask


def drawn_perturbation(
    block: Perturbations, *, random_state: int, patient: str, sequence: str, round_: int
) -> Perturbation:
    """Draw a perturbation: amounts uniformly within the limits of the study, either way.

    It depends on nothing but its arguments, and an amount of one kind not on whether the others are switched on.
    """
    place = hashlib.sha256("\0".join((patient, sequence, str(round_))).encode()).digest()
    rng = np.random.default_rng([random_state, *np.frombuffer(place, dtype="<u4").tolist()])
    turn, *shift, change = rng.uniform(-1, 1, 5).tolist()
    seeds = [int(seed) for seed in rng.integers(2**31, size=3)]
    outline: list[ChangeVolume | RandomiseContour] = []
    if block.volume:
        outline.append(ChangeVolume(fraction=change * block.volume, random_state=seeds[0]))
    if block.contour:
        outline.append(RandomiseContour(random_state=seeds[1]))
    x, y, z = (part * block.translate for part in shift)
    return Perturbation(
        noise=AddNoise(random_state=seeds[2]) if block.noise else None,
        degrees=turn * block.rotate,
        fraction=(x, y, z),
        outline=tuple(outline),
    )
