"""The figures of a comparison."""

from __future__ import annotations

from pathlib import Path

from glottis.evaluation.compare import Comparison
from glottis.report.gallery import Picture
from glottis.study.parallel import Progress


def draw_compared(comparison: Comparison, folder: Path, progress: Progress) -> dict[str, Picture]:
    """Draw and store every figure of a comparison."""
    return {}
