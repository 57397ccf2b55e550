"""The sections of a report, numbered; a study that starts from a table has no masks to look at."""

from __future__ import annotations

from glottis.study.spec import Study

TITLES = {
    "patients": "Patients",
    "masks": "Masks",
    "checks": "Checks and warnings",
    "features": "Features",
    "models": "Models",
    "selected": "Selected features",
    "methods": "Methods as they ran",
    "honesty": "Honesty",
    "provenance": "Provenance",
}


def sections(study: Study) -> dict[str, str]:
    """Anchor to heading, with its number."""
    shown = {name: title for name, title in TITLES.items() if name != "masks" or study.table is None}
    return {name: f"{number} {title}" for number, (name, title) in enumerate(shown.items(), start=1)}


def section(study: Study, name: str) -> str:
    """What the text calls a section: ``section 3``."""
    return f"section {sections(study)[name].partition(' ')[0]}"
