"""The doctor: every problem of a cohort at once, in plain words, with patient, sequence and remedy."""

from glottis.study.check.doctor import check_cohort
from glottis.study.check.finding import Finding, Limits, errors_of, in_order
from glottis.study.check.models import check_models
from glottis.study.check.table import check_table

__all__ = ["Finding", "Limits", "check_cohort", "check_models", "check_table", "errors_of", "in_order"]
