from __future__ import annotations

import json

import numpy as np
import pytest

from glottis.evaluation import integrated_discrimination, net_reclassification
from stored import reference

R = reference("comparison")
Y, OLD, NEW = (np.array(R[name]) for name in ("y", "old", "new"))


@pytest.mark.parametrize(("cutoffs", "name"), [((), "continuous"), ((0.2, 0.4), "classes")])
def test_reclassification_is_that_of_hmisc(cutoffs: tuple[float, ...], name: str) -> None:
    result, expected = net_reclassification(Y, OLD, NEW, cutoffs=cutoffs), R[name]
    ours = [result.total.value, result.events.value, result.non_events.value]
    assert ours == pytest.approx([expected[key] for key in ("nri", "nri.ev", "nri.ne")], rel=1e-10)
    widths = [
        (item.high - item.low) / 2 / 1.959963984540054 for item in (result.total, result.events, result.non_events)
    ]
    assert widths == pytest.approx([expected[key] for key in ("se.nri", "se.nri.ev", "se.nri.ne")], rel=1e-10)


def test_integrated_discrimination_is_that_of_hmisc() -> None:
    result, expected = integrated_discrimination(Y, OLD, NEW), R["continuous"]
    ours = [result.total.value, result.events.value, -result.non_events.value]
    assert ours == pytest.approx([expected[key] for key in ("idi", "improveSens", "improveSpec")], rel=1e-10)
    assert result.total.low == pytest.approx(expected["idi"] - 1.959963984540054 * expected["se.idi"], rel=1e-9)
    json.dumps(result.to_dict(), allow_nan=False)


def test_the_p_value_is_that_of_the_z_value() -> None:
    # R: 2 * pnorm(-abs(z))
    result = net_reclassification(Y, OLD, NEW)
    limit = net_reclassification(Y, OLD, NEW, level=1 - result.p_value).total
    assert min(abs(limit.low), abs(limit.high)) == pytest.approx(0, abs=1e-9)


def test_the_known_bias_is_printed() -> None:
    assert "Hilden and Gerds 2014" in net_reclassification(Y, OLD, NEW).to_dict()["note"]


def test_equal_models_reclassify_nobody_and_have_no_limits() -> None:
    result = net_reclassification(Y, OLD, OLD)
    assert (result.total.value, result.total.low, result.p_value) == (0, None, None)
    assert integrated_discrimination(Y, OLD, OLD).total.note == "no limits: the changes have no spread"


def test_one_event_gives_no_limits_of_discrimination() -> None:
    result = integrated_discrimination([1, 0, 0], [0.2, 0.3, 0.4], [0.5, 0.2, 0.4])
    assert result.total.value == pytest.approx(0.3 + 0.05)
    assert (result.total.low, result.p_value) == (None, None)
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_patient_on_a_cut_off_is_in_the_upper_class() -> None:
    assert net_reclassification([1, 0], [0.1, 0.1], [0.2, 0.1], cutoffs=[0.2]).events.value == 1


@pytest.mark.parametrize(
    ("new", "cutoffs", "match"),
    [
        ([0.2, 1.5], (), "The new model needs probabilities; got scores from 0.2 to 1.5"),
        ([0.2, 0.5], (0.4, 0.3), r"rise within 0 to 1; got \[0.4, 0.3\]"),
        ([0.2], (), "Cannot pair the new model"),
    ],
)
def test_what_cannot_be_reclassified_is_refused(new: list, cutoffs: tuple, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        net_reclassification([0, 1], [0.1, 0.2], new, cutoffs=cutoffs)
