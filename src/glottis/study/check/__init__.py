"""The doctor: every problem of a cohort at once, in plain words, with patient, sequence and remedy."""

from glottis.study.check.doctor import check_cohort
from glottis.study.check.finding import Finding, Limits, errors_of

__all__ = ["Finding", "Limits", "check_cohort", "errors_of"]
