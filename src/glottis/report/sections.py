"""The sections of a report, numbered; a study that starts from a table has no masks to look at."""

from __future__ import annotations

from glottis.study.result import StudyResult

TITLES = {
    "patients": "Patients",
    "masks": "Masks",
    "checks": "Checks and warnings",
    "features": "Features",
    "harmonisation": "Harmonisation",
    "models": "Models",
    "controls": "Controls",
    "selected": "Selected features",
    "clinical": "Clinical model and nomogram",
    "final": "The model to take away",
    "methods": "Methods as they ran",
    "honesty": "Honesty",
    "provenance": "Provenance",
}


def sections(result: StudyResult) -> dict[str, str]:
    """Anchor to heading, with its number."""
    absent = set()
    if not result.study.sequences:
        absent.add("masks")
    if result.study.clinical_alone:
        absent |= {"features", "selected"}
    if result.study.clinical_model is None and result.study.nomogram is None:
        absent.add("clinical")
    if result.final is None:
        absent.add("final")
    if result.results["harmonisation"] is None:
        absent.add("harmonisation")
    shown = {name: title for name, title in TITLES.items() if name not in absent}
    return {name: f"{number} {title}" for number, (name, title) in enumerate(shown.items(), start=1)}


def section(result: StudyResult, name: str) -> str:
    """What the text calls a section: ``section 3``."""
    return f"section {sections(result)[name].partition(' ')[0]}"
