from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glottis.evaluation import icc
from glottis.evaluation.agreement import ICC_FORMS
from stored import reference

R = reference("agreement")

# Shrout and Fleiss, Psychological Bulletin 1979;86:420-428, table 2: six targets, four judges
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
# their table 4, and the limits that R's psych::ICC prints in its manual for these data
PUBLISHED = {
    "ICC(1,1)": (0.17, -0.133, 0.72),
    "ICC(2,1)": (0.29, 0.019, 0.76),
    "ICC(3,1)": (0.71, 0.342, 0.95),
    "ICC(1,k)": (0.44, -0.884, 0.91),
    "ICC(2,k)": (0.62, 0.071, 0.93),
    "ICC(3,k)": (0.91, 0.676, 0.99),
}


@pytest.mark.parametrize("form", ICC_FORMS)
def test_the_published_example_is_reproduced(form: str) -> None:
    value, low, high = PUBLISHED[form]
    result = icc(SHROUT_FLEISS[None], form=form)
    assert result.value[0] == pytest.approx(value, abs=0.005)
    assert result.low[0] == pytest.approx(low, abs=0.0006)
    assert result.high[0] == pytest.approx(high, abs=0.0051)


def sines(feature: int) -> np.ndarray:
    """25 subjects x 3 raters, as make_agreement.R makes them."""
    s, r = np.arange(1, 26)[:, None], np.arange(1, 4)
    return 10 * np.sin(1.7 * feature + 0.37 * s**2) + 2 * np.sin(0.9 * feature * s * r + r) + 0.1 * feature * r


def vandyke(shared_data: Path, treatment: int) -> np.ndarray:
    """114 cases x 5 readers."""
    table = pd.read_csv(shared_data / "stats" / "VanDyke.csv")
    return table[table["treatment"] == treatment].pivot(index="case", columns="reader", values="rating").to_numpy()


@pytest.mark.parametrize("at", range(6))
def test_a_table_of_forty_features_is_that_of_psych(at: int) -> None:
    result = icc([sines(feature) for feature in range(1, 41)], form=ICC_FORMS[at])
    for name in ("value", "low", "high"):
        expected = [feature[name][at] for feature in R["icc_sines"]]
        np.testing.assert_allclose(getattr(result, name), expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("at", range(6))
def test_five_readers_of_two_modalities_are_those_of_psych(shared_data: Path, at: int) -> None:
    result = icc([vandyke(shared_data, 1), vandyke(shared_data, 2)], form=ICC_FORMS[at])
    for name in ("value", "low", "high"):
        expected = [modality[name][at] for modality in R["icc_vandyke"]]
        np.testing.assert_allclose(getattr(result, name), expected, rtol=1e-8)


def _by_sums_of_squares(table: np.ndarray) -> dict[str, float]:
    """The definitions, written out with loops (Shrout and Fleiss 1979, equations 1 to 6)."""
    n, k = table.shape
    grand = table.mean()
    between = sum(k * (row.mean() - grand) ** 2 for row in table) / (n - 1)
    raters = sum(n * (column.mean() - grand) ** 2 for column in table.T) / (k - 1)
    within = sum((x - row.mean()) ** 2 for row in table for x in row) / (n * (k - 1))
    error = (within * n * (k - 1) - raters * (k - 1)) / ((n - 1) * (k - 1))
    return {
        "ICC(1,1)": (between - within) / (between + (k - 1) * within),
        "ICC(2,1)": (between - error) / (between + (k - 1) * error + k * (raters - error) / n),
        "ICC(3,1)": (between - error) / (between + (k - 1) * error),
        "ICC(1,k)": (between - within) / between,
        "ICC(2,k)": (between - error) / (between + (raters - error) / n),
        "ICC(3,k)": (between - error) / between,
    }


@pytest.mark.parametrize("form", ICC_FORMS)
def test_many_features_agree_with_the_definition(form: str) -> None:
    rng = np.random.default_rng(1)
    tables = rng.standard_normal((12, 9, 1)) * 2 + rng.standard_normal((12, 9, 3)) + 1000
    expected = [_by_sums_of_squares(table)[form] for table in tables]
    np.testing.assert_allclose(icc(tables, form=form).value, expected, rtol=1e-7)


def test_a_hole_leaves_out_that_subject_for_that_feature_alone() -> None:
    rng = np.random.default_rng(2)
    tables = rng.standard_normal((2, 8, 1)) + 0.3 * rng.standard_normal((2, 8, 2))
    holed = tables.copy()
    holed[0, 3, 1] = np.nan
    result = icc(holed)
    assert result.n.tolist() == [7, 8]
    assert result.value[0] == pytest.approx(icc(np.delete(tables[:1], 3, axis=1)).value[0], rel=1e-12)
    assert result.value[1] == icc(tables[1:]).value[0]


def test_perfect_agreement_is_one_with_limits_of_one() -> None:
    same = np.repeat(np.arange(6.0)[None, :, None], 2, axis=2)
    result = icc(same)
    assert (result.value[0], result.low[0], result.high[0]) == (1, 1, 1)


def test_a_constant_feature_has_no_icc() -> None:
    result = icc(np.ones((1, 6, 2)))
    assert np.isnan(result.value[0])
    assert result.to_dict()["value"] == [None]


def test_a_shift_of_one_reader_hurts_agreement_and_not_consistency() -> None:
    first = np.arange(10.0)
    shifted = np.stack([first, first + 5 + 1e-3 * np.sin(first)], axis=1)[None]
    assert icc(shifted, form="ICC(3,1)").value[0] > 0.999
    assert icc(shifted, form="ICC(2,1)").value[0] < 0.5


@pytest.mark.parametrize(
    ("shape", "form", "match"), [((3, 4), "ICC(2,1)", r"got \(3, 4\)"), ((1, 4, 2), "ICC(4,1)", "Unknown form")]
)
def test_other_shapes_and_forms_are_refused(shape: tuple[int, ...], form: str, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        icc(np.zeros(shape), form=form)
