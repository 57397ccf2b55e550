"""What twenty permutations add to the fits of a study: as they are fitted alone, and as a study fits them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold

from glottis.modelling import TunedChain
from glottis.selection import ICCFilter, radiomics_chain
from glottis.study.chains import n_blind
from glottis.study.fitting import fit_unit
from glottis.study.parallel import silent
from glottis.study.permutations import GROUPS_A_WORKER, ShuffledGroup, fit_group, fitted_shuffles, shuffled_units
from glottis.study.spec import study_from_dict
from glottis.study.split import Partition
from glottis.study.units import FitUnit, Patients, unit_of
from modelling_tables import BLOCKS, COMBINATIONS, columns, study

N_PERMUTATIONS, N_WORKERS, N_ROUNDS = 20, 2, 2


def seconds(call: Callable[[], Any]) -> tuple[float, Any]:
    """CPU time, and what the call returned."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def unfitted(repeats: Mapping[str, pd.DataFrame] | None) -> TunedChain:
    """ICC, Spearman, z-score, LASSO, elimination to 15, forest over its default grid; five inner folds."""
    return TunedChain(radiomics_chain(None if repeats is None else ICCFilter(repeats)))


def controls() -> list[dict[str, Any]]:
    """Each round: its rows, and the load of the machine before and after."""
    rounds = []
    for _ in range(N_ROUNDS):
        before = os.getloadavg()[0]
        rows = [*of_one_split(), of_cross_validation()]
        rounds.append({"load": [before, os.getloadavg()[0]], "rows": rows})
    return rounds


def of_one_split() -> list[dict[str, Any]]:
    """Permutations of the largest and of the smallest combination beside the fits of all seven."""
    X, y, repeats = study()
    fits = {names: seconds(lambda: unfitted(repeats).fit(X[columns(names)], y)) for names in COMBINATIONS}  # noqa: B023  called at once
    total = sum(took for took, _ in fits.values())
    return [
        {
            "what": f"seven combinations, one split; permutations of {' + '.join(names)}",
            "study": total,
            **permuted(fits[names][1], X[columns(names)], y),
        }
        for names in (BLOCKS, BLOCKS[:1])
    ]


def permuted(model: TunedChain, X: pd.DataFrame, y: pd.Series) -> dict[str, float]:
    """Twenty fits to permuted outcomes: alone, and in the groups that a study makes for two workers."""
    rng = np.random.default_rng(0)
    outcomes = [pd.Series(rng.permutation(y.to_numpy()), index=y.index) for _ in range(N_PERMUTATIONS)]
    fixed = model.as_tuned()

    def alone() -> list[Any]:
        return [clone(fixed).fit(X, outcome).raw_score(X) for outcome in outcomes]

    def shared() -> list[Any]:
        scores = []
        for places in np.array_split(range(N_PERMUTATIONS), GROUPS_A_WORKER * N_WORKERS):
            begun = clone(fixed).begin(X, n_blind(fixed.chain.steps))
            scores += [clone(fixed).fit(X, outcomes[place], begun=begun).raw_score(X) for place in places]
        return scores

    first, scores = seconds(alone)
    second, same = seconds(shared)
    return {"whole": first, "shared": second, "same": float(np.array_equal(scores, same))}


def of_cross_validation() -> dict[str, Any]:
    """The same through the functions of a study: 25 fits, and permutations in the folds of the first repeat."""
    with TemporaryDirectory() as folder:
        units = units_of_folds(Path(folder) / "shared")
        took, fits = seconds(lambda: [fit_unit(unit)[BLOCKS[0]] for unit in units])
        patients = pd.concat([units[0].training, *units[0].tests.values()]).index
        shuffles = shuffled_units(units, fits, n=N_PERMUTATIONS, groups=pd.Series(patients, index=patients))
        shared, areas = seconds(lambda: fitted_shuffles(shuffles, jobs=1, progress=silent))
        apart = [replace(one, unit=replace(one.unit, cache=Path(folder) / "alone")) for one in shuffles]
        whole, alone = seconds(lambda: [fit_group(ShuffledGroup(shuffles=(one,)))[0] for one in apart])
    return {
        "what": f"5 x 5 nested cross-validation of {BLOCKS[0]}; permutations in the folds of the first repeat",
        "study": took,
        "whole": whole,
        "shared": shared,
        "same": float(areas == alone),
    }


def units_of_folds(cache: Path) -> list[FitUnit]:
    """Five repeats of five folds of one block."""
    X, y, repeats = study()
    own = columns(BLOCKS[:1])
    features = {"table": "table.csv", "blocks": {BLOCKS[0]: f"{BLOCKS[0]}_*"}}
    plan = study_from_dict({"outcome": {"column": "y"}, "features": features, "split": {"method": "kfold"}})
    patients = Patients(outcome=y, groups=pd.Series(y.index, index=y.index), batches=None)
    parts = []
    for repeat in range(plan.split.repeats):
        folds = StratifiedKFold(plan.split.folds, shuffle=True, random_state=repeat).split(X, y)
        for fold, (train, test) in enumerate(folds):
            held_out = {"cross-validation": tuple(y.index[test])}
            parts.append(Partition(repeat=repeat, fold=fold, training=tuple(y.index[train]), tests=held_out))
    tables = {kind: rows[own] for kind, rows in repeats.items()}
    return [unit_of(plan, X[own], part, plan.designs()[0], patients, repeats=tables, cache=cache) for part in parts]
