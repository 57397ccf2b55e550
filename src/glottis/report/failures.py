"""What the extraction could not measure, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from glottis.report.wording import counted
from glottis.study.spec_images import PERTURBED


def failed_words(failures: Iterable[Mapping[str, Any]]) -> str:
    """How many masks gave no features; a perturbed measurement of a mask counts by itself.

    >>> failed_words([{"reader": "A"}, {"reader": PERTURBED}])
    '1 mask gave no features; 1 perturbed measurement failed'
    """
    readers = [row["reader"] for row in failures]
    perturbed = readers.count(PERTURBED)
    masks = len(readers) - perturbed
    text = f"{counted(masks, 'mask')} gave no features" if masks else "every mask gave its features"
    return f"{text}; {counted(perturbed, 'perturbed measurement')} failed" if perturbed else text
