"""Image filters: one image in, named derived images out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from glottis.data.volume import Triple, Volume


class Filter(Protocol):
    """A step that derives one or several images from one image."""

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """Voxels needed round the mask so that the mask sees what filtering the whole image gives."""
        ...

    def __call__(self, image: Volume) -> Iterator[tuple[str, Volume]]:
        """Yield ``(name, image)``, the name as PyRadiomics writes it."""
        ...


@dataclass(frozen=True, kw_only=True)
class Original:
    """The image as it is; named ``original``."""

    def reach_voxels(self, spacing_mm: Triple) -> int:
        """No neighbour is looked at."""
        return 0

    def __call__(self, image: Volume) -> Iterator[tuple[str, Volume]]:
        """Yield the image itself."""
        yield "original", image
