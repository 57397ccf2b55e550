"""What the doctor says, and the limits beyond which it speaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from glottis._errors import GlottisError

Severity = Literal["error", "warning", "note"]
ORDER: dict[str, int] = {"error": 0, "warning": 1, "note": 2}
MAX_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    Attributes:
        severity: an error stops a run, a warning stays in its report, a note only informs.
        code: short name of the kind of problem.
        message: what is wrong, with values.
        remedy: what to do.
        patient: the manifest's id, empty where it concerns the cohort.
        sequence: empty where it concerns no single sequence.
    """

    severity: Severity
    code: str
    message: str
    remedy: str
    patient: str = ""
    sequence: str = ""

    def to_dict(self) -> dict[str, str]:
        """The finding as plain values."""
        return {key: str(value) for key, value in asdict(self).items()}

    def sentence(self) -> str:
        """The finding as one line: place, message, remedy."""
        place = " ".join(part for part in (self.patient, self.sequence) if part)
        return f"{place + ': ' if place else ''}{self.message} {self.remedy}".strip()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of the doctor.

    Attributes:
        minimum_diameter_mm: smallest acceptable diameter of a lesion's largest cross-section.
        geometry_tolerance: largest difference between the grids of image and mask, in mm (direction: without unit).
        n_candidate_features: features that selection starts from; ``None`` leaves that check out.
        folds: folds of the cross-validation; ``None`` leaves that check out.
        timing: ``preoperative`` warns of clinical variables that are known only after the decision; ``any`` does not.
        external_centres: centres that are held out as external test.
        confounding_v: Cramer's V between centre and outcome from which a centre counts as confounded ...
        confounding_p: ... when the test of independence is below this.
        leak_auc: AUC of a single column above which it counts as a leaked label.
    """

    minimum_diameter_mm: float = 5.0
    geometry_tolerance: float = 1e-4
    n_candidate_features: int | None = None
    folds: int | None = None
    timing: Literal["preoperative", "any"] = "preoperative"
    external_centres: tuple[str, ...] = ()
    confounding_v: float = 0.3
    confounding_p: float = 0.01
    leak_auc: float = 0.95


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then by patient and sequence; findings on the whole cohort lead each group."""
    return tuple(
        sorted(findings, key=lambda f: (ORDER[f.severity], f.patient != "", f.code, f.patient, f.sequence, f.message))
    )


def errors_of(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that stop a run."""
    return tuple(finding for finding in findings if finding.severity == "error")


def from_error(error: GlottisError, *, code: str, patient: str = "", sequence: str = "") -> Finding:
    """An error's message as a finding; what follows its last colon is the remedy."""
    message, remedy = in_two(str(error))
    return Finding(severity="error", code=code, message=message, remedy=remedy, patient=patient, sequence=sequence)


def in_two(text: str) -> tuple[str, str]:
    """An error's text as message and remedy, each a sentence; the remedy follows the last colon."""
    message, _, remedy = text.rstrip(".").rpartition(": ")
    remedy = remedy[:1].upper() + remedy[1:]
    return (f"{message}.", remedy if remedy.endswith("?") else f"{remedy}.") if message else (f"{remedy}.", "")


def named(names: Sequence[str]) -> str:
    """Names in a sentence, the rest counted."""
    shown = ", ".join(names[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else shown


def counted(count: int, word: str, words: str = "") -> str:
    """``1 patient``, ``2 patients``."""
    return f"{count} {word if count == 1 else words or word + 's'}"
