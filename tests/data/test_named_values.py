"""Rows of features in little memory."""

import math
import pickle

from glottis.data.named_values import NamedValues

ROW = {"original_firstorder_Mean": 1.5, "original_glcm_MCC": math.nan, "original_shape_MeshVolume": 7.0}


def test_values_keep_their_names_and_order():
    row = NamedValues(ROW)
    assert list(row) == list(ROW)
    assert row["original_shape_MeshVolume"] == 7.0
    assert math.isnan(row["original_glcm_MCC"])
    assert len({**row}) == 3


def test_rows_share_their_names_also_after_a_journey():
    row, other = NamedValues(ROW), pickle.loads(pickle.dumps(NamedValues({str(name): 0.0 for name in ROW})))
    names = list(ROW)
    assert all(mine is theirs for mine, theirs in zip(row, other, strict=True))
    assert dict(other) == dict.fromkeys(names, 0.0)
