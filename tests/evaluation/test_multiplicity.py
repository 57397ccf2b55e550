from __future__ import annotations

import numpy as np
import pytest

from glottis.evaluation.multiplicity import benjamini_hochberg, holm
from stored import reference

R = reference("multiplicity")


@pytest.mark.parametrize(("adjust", "name"), [(holm, "holm"), (benjamini_hochberg, "bh")])
def test_adjusted_p_values_are_those_of_r(adjust, name: str) -> None:
    p = np.array(R["p"], dtype=float)
    np.testing.assert_allclose(adjust(p), np.array(R[name], dtype=float), rtol=1e-12)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_one_test_and_no_test_stay_as_they_are(adjust) -> None:
    assert adjust([0.03]).tolist() == [0.03]
    assert adjust([]).size == 0
    assert np.isnan(adjust([np.nan])).all()


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_the_order_of_the_tests_does_not_matter(adjust) -> None:
    p = np.random.default_rng(1).random(50) ** 3
    shuffled = np.random.default_rng(2).permutation(50)
    np.testing.assert_array_equal(adjust(p)[shuffled], adjust(p[shuffled]))


@pytest.mark.parametrize(
    ("p", "match"),
    [([0.2, 1.5], "1.5 at position 1 is outside"), ([-0.1], "-0.1 at position 0"), ([[0.1]], r"shape \(1, 1\)")],
)
def test_values_that_are_no_p_values_are_refused(p: list, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        holm(p)
