"""Report: tables, figures and one self-contained page from stored results."""

from glottis.report.html import write

__all__ = ["write"]
