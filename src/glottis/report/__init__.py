"""Report: tables, figures and one self-contained page from stored results."""

from __future__ import annotations

from pathlib import Path

from glottis.evaluation.compare import Comparison
from glottis.study.parallel import Progress, silent


def write(folder: Path, *, progress: Progress = silent) -> Path:
    """Write ``report.html``, ``tables/`` and ``figures/`` of a finished run, from stored results alone.

    Equal results give equal bytes, outside the provenance section of the page.

    Args:
        folder: the run folder.
        progress: told of every figure.

    Returns:
        The path of ``report.html``.

    Raises:
        StorageError: the folder is no complete run, or cannot be written.
    """
    from glottis.report.html import write_report  # matplotlib loads here, on use

    return write_report(folder, progress=progress)


def write_comparison(comparison: Comparison, folder: Path, *, progress: Progress = silent) -> Path:
    """Write ``results.json``, ``compare.html``, ``tables/`` and ``figures/`` of a comparison.

    Args:
        comparison: what `glottis.evaluation.compare.compare` found.
        folder: where they go.
        progress: told of every figure.

    Returns:
        The path of ``compare.html``.

    Raises:
        StorageError: the folder cannot be written.
    """
    from glottis.report.compare import write_compared  # matplotlib loads here, on use

    return write_compared(comparison, folder, progress=progress)
