"""Other rules by which an F1 score is printed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from glottis.evaluation.audit.counts import Table2x2
from glottis.evaluation.audit.printed import Printed


def f1_rule(printed: Mapping[str, Printed], table: Table2x2) -> str:
    """The rule by which a table gives the printed F1, where it is not that of the positive class; empty for none.

    >>> f1_rule({"f1": Printed.parse("0.734")}, Table2x2(40, 12, 32, 13))
    ''
    >>> f1_rule({"f1": Printed.parse("0.741")}, Table2x2(40, 12, 32, 13))
    'the mean over both classes'
    """
    positive, negative = _f1(table.tp, table.fp + table.fn), _f1(table.tn, table.fp + table.fn)
    n_positive, n_negative = table.sizes
    rules = {
        "the mean over both classes": (positive + negative) / 2,
        "the mean over both classes, weighted by their sizes": (
            (n_positive * positive + n_negative * negative) / (n_positive + n_negative)
        ),
        "that of the other class": negative,
        "computed from the rounded PPV and sensitivity": _of_rounded(printed),
    }
    return next((name for name, value in rules.items() if value is not None and _prints(printed["f1"], value)), "")


def _f1(right: int, wrong: int) -> Fraction:
    return Fraction(2 * right, 2 * right + wrong) if right or wrong else Fraction(0)


def _of_rounded(printed: Mapping[str, Printed]) -> Fraction | None:
    if "ppv" not in printed or "sensitivity" not in printed:
        return None
    ppv, sensitivity = (
        Fraction(printed[name].scaled, 10 ** printed[name].digits) for name in ("ppv", "sensitivity")
    )  # fmt: skip
    return 2 * ppv * sensitivity / (ppv + sensitivity) if ppv + sensitivity else None


def _prints(number: Printed, value: Fraction) -> bool:
    return bool(number.meets(float(value)))
