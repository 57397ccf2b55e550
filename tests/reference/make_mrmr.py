"""Write mrmr.json: order in which the package mrmr-selection chooses features (FCQ of Zhao et al. 2019).

Run in an environment of its own with ``mrmr-selection==0.2.8``: ``python make_mrmr.py``.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from mrmr import mrmr_classif


def table(n_classes):
    """The table that test_mrmr.py makes again."""
    i, j = np.arange(1, 73)[:, None], np.arange(1, 31)
    y = (np.arange(72) * 5) % 7 % n_classes
    X = np.sin(0.9 * j + 0.37 * i**1.1 * (1 + j % 6)) + 0.4 * y[:, None] / j + 0.3 * np.cos(0.7 * i * j)
    return pd.DataFrame(X, columns=[f"f{k}" for k in range(30)]), y


def main():
    orders = {}
    for n_classes in (2, 3):
        X, y = table(n_classes)
        orders[str(n_classes)] = mrmr_classif(X, pd.Series(y), K=12, n_jobs=1, show_progress=False)
    result = {"source": f"mrmr-selection {version('mrmr-selection')}", "orders": orders}
    Path(__file__).with_name("mrmr.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
