from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from glottis.evaluation.logistic_fit import fit_logistic
from glottis.evaluation.rubin import pool, pool_fits, pooled_regression
from stored import reference

CASES = reference("clinical")["pooled"]


@pytest.mark.parametrize("case", CASES)
def test_pooled_values_are_those_of_mice(case: dict[str, Any]) -> None:
    estimates, variances = np.array(case["estimates"])[:, None], np.array(case["variances"])[:, None, None]
    own = pool(estimates, variances, df_complete=case["n"] - case["k"])
    found = [own.estimate[0], own.covariance[0, 0], own.df[0]]
    assert found == pytest.approx([case["estimate"], case["total"], case["df"]], rel=1e-12)
