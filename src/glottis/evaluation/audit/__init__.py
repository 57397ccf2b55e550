"""Audit of a paper's printed numbers: plain values in, findings out."""

from glottis.evaluation.audit.finding import Audit, Finding
from glottis.evaluation.audit.printed import Printed
from glottis.evaluation.audit.rows import Claim, MetricRow
from glottis.evaluation.audit.whole import audit

__all__ = ["Audit", "Claim", "Finding", "MetricRow", "Printed", "audit"]
