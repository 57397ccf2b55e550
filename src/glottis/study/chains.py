"""From the settings of a study to unfitted estimators, and to what they tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import numpy as np
from sklearn.base import clone

from glottis._optional import require
from glottis.modelling.blocks import BlockSelector
from glottis.modelling.classifiers import CLASSIFIERS
from glottis.modelling.clinical import ClinicalChain
from glottis.modelling.clinical_fixed import FixedClinical
from glottis.modelling.crossval import TunedChain
from glottis.modelling.fixed import FixedChain
from glottis.modelling.fusion import LateFusion
from glottis.modelling.harmonise import ComBat
from glottis.modelling.imported import imported_classifier
from glottis.modelling.tuning import Search
from glottis.selection.boruta import Boruta
from glottis.selection.chain import MoreSteps, radiomics_chain
from glottis.selection.mrmr import MRMR
from glottis.selection.perturbation import PerturbationFilter
from glottis.selection.reproducibility import ICCFilter
from glottis.selection.univariate import UnivariateFilter
from glottis.study.clinical import regression_of
from glottis.study.spec import Study
from glottis.study.units import FitUnit, drawn_again, perturbed

REPEATABLE = ("variance", "perturbation", "icc")
BLIND = ("impute", *REPEATABLE, "combat", "spearman", "z-score")
"""Steps that are fitted without the outcome."""
CONTROL_CLASSIFIER, CONTROL_GRID = "logistic_regression", {"C": (1.0,)}


def seed_of(unit: FitUnit) -> int:
    """The seed of everything random in a fit, from those of the study and the partition."""
    return int(np.random.SeedSequence([unit.study.random_state, unit.repeat, unit.fold]).generate_state(1)[0] >> 1)


def refuse_unavailable(study: Study, *, allow_code: bool) -> None:
    """Refuse a classifier or selector that cannot be loaded here, before any work is done.

    Raises:
        SettingsError: code from outside that is not allowed, or that is no classifier.
        MissingExtraError: a library is not installed.
    """
    for name in study.model.classifier:
        spec = imported_classifier(name, allow_code=allow_code) if ":" in name else CLASSIFIERS[name]
        spec.make(0)
    if study.selection.boruta:
        require("boruta", extra="boruta")
    if study.model.search.kind == "bayes":
        require("optuna", extra="search")


def chains_of(unit: FitUnit) -> dict[str, Any]:
    """Model to its unfitted estimator."""
    if not unit.design.of_features:
        return {model: regression_of(unit, seed_of(unit)) for model in unit.design.models.values()}
    if unit.mode == "control":
        steps = [("encode", clinical_encoder(unit))]
        return {model: _chain(unit, steps, CONTROL_CLASSIFIER, CONTROL_GRID) for model in unit.design.models.values()}
    make = _late if unit.design.fusion == "late" else _early
    return {model: make(unit, classifier) for classifier, model in unit.design.models.items()}


def _chain(unit: FitUnit, steps: list[tuple[str, Any]], classifier: str, grid: Any) -> TunedChain:
    model = unit.study.model
    control = unit.mode == "control"
    return TunedChain(
        steps=steps,
        classifier=classifier,
        grid=grid,
        folds=model.folds,
        recalibrate=model.recalibrate,
        random_state=seed_of(unit),
        search="grid" if control else Search(kind=model.search.kind, n_trials=model.search.n_trials),
        class_weight=None if control else model.class_weight,
        allow_code=unit.allow_code,
    )


def _early(unit: FitUnit, classifier: str) -> TunedChain:
    return _chain(unit, steps_of(unit), classifier, unit.study.model.grid_of(classifier))


def _late(unit: FitUnit, classifier: str) -> LateFusion:
    blocks = {block: list(columns) for block, columns in unit.blocks.items()}
    chain = _early(unit, classifier)
    return LateFusion({block: clone(chain) for block in blocks}, blocks)


def steps_of(unit: FitUnit) -> list[tuple[str, Any]]:
    """The unfitted steps of an early fusion, or of a block of a late one.

    ComBat comes after the filters that compare a patient's measurements, which know no batch, and before all others.
    """
    steps = selection_steps(unit.study, unit.repeats, random_state=seed_of(unit))
    if unit.study.harmonise is not None and unit.batches is not None:
        place = 1 + max(number for number, (name, _) in enumerate(steps) if name in REPEATABLE)
        steps = [*steps[:place], ("combat", combat(unit.study, unit.batches)), *steps[place:]]
    if unit.study.selection.per_block and unit.design.fusion == "early" and len(unit.blocks) > 1:
        blocks = {block: list(columns) for block, columns in unit.blocks.items()}
        steps = [("blocks", BlockSelector(blocks, steps))]
    return [("impute", _median()), *steps] if imputes(unit.study) else steps


def n_blind(steps: Sequence[tuple[str, Any]]) -> int:
    """How many steps come before the first one that looks at the outcome."""
    return sum(1 for _ in takewhile(lambda item: item[0] in BLIND, steps))


def selection_steps(study: Study, repeats: Mapping[str, Any], *, random_state: int) -> list[tuple[str, Any]]:
    """The unfitted selectors that the study names."""
    selection = study.selection
    icc, univariate, lasso = selection.icc, selection.univariate, selection.lasso
    robust, changed, again = selection.perturbation, perturbed(repeats), drawn_again(repeats)
    more = MoreSteps(
        perturbation=PerturbationFilter(changed, form=robust.form, threshold=robust.threshold, use=robust.use)
        if robust and changed
        else None,
        univariate=UnivariateFilter(univariate.test, univariate.p, univariate.adjust) if univariate else None,
        boruta=Boruta(random_state=random_state) if selection.boruta else None,
        mrmr=MRMR(selection.mrmr) if selection.mrmr else None,
    )
    return radiomics_chain(
        ICCFilter(again, form=icc.form, threshold=icc.threshold, use=icc.use) if icc and again else None,
        spearman=selection.spearman,
        lasso_folds=lasso.folds if lasso else None,
        rule=lasso.rule if lasso else "min",
        n_features=selection.n_features,
        random_state=random_state,
        more=more,
    )


def combat(study: Study, batches: Any) -> ComBat:
    """The unfitted harmonisation that the study names."""
    block = study.harmonise
    assert block is not None
    return ComBat(
        batch=batches["batch"],
        covariates=batches[list(block.covariates)] if block.covariates else None,
        prior=block.prior,
        mean_only=block.mean_only,
        reference=block.reference,
        unseen=block.unseen,
        minimum_rows=block.minimum_rows,
    )


def imputes(study: Study) -> bool:
    """Whether gaps of the feature table are filled inside every training view."""
    return study.table is not None and study.table.impute is not None


def _median() -> Any:
    """Gaps become the median of the training rows; a column without any value becomes 0, and so goes as constant."""
    from sklearn.impute import SimpleImputer

    return SimpleImputer(strategy="median", keep_empty_features=True).set_output(transform="pandas")


def clinical_encoder(unit: FitUnit) -> Any:
    """Numbers: median for gaps, z-score. Words: a column a level, a gap is a level of its own, unknown ones are 0."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [name for name, kind in unit.training.dtypes.items() if kind.kind in "fiub"]
    words = [name for name in unit.training.columns if name not in numbers]
    of_numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    of_words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("numbers", of_numbers, numbers), ("words", of_words, words)]
    return ColumnTransformer(parts, verbose_feature_names_out=False).set_output(transform="pandas")


def tuned_of(model: Any) -> dict[str, Any]:
    """What a fitted model tuned, as plain values: with it `fixed_of` makes a model that is cheap to fit again."""
    if isinstance(model, LateFusion):
        return {"blocks": {block: tuned_of(chain) for block, chain in model.chains_.items()}}
    if isinstance(model, ClinicalChain):
        return {}
    return {"point": dict(model.best_params_), "steps": {name: _tuned_step(step) for name, step in model.steps_}}


def _tuned_step(step: Any) -> dict[str, Any]:
    if isinstance(step, BlockSelector):
        return {"blocks": {block: {n: _tuned_step(s) for n, s in steps} for block, steps in step.steps_.items()}}
    if not hasattr(step, "as_tuned"):
        return {}
    own = step.get_params(deep=False)
    fixed = step.as_tuned().get_params(deep=False)
    return {"params": {name: _plain(value) for name, value in fixed.items() if value is not own[name]}}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


Fixed = FixedChain | FixedClinical | LateFusion


def as_tuned(unit: FitUnit, name: str, tuned: Mapping[str, Any]) -> Fixed:
    """An unfitted model of a unit with everything fixed that another fit tuned; it does no inner cross-validation.

    A late fusion does, with nothing to choose, since its stacker needs out-of-fold scores.
    """
    model = chains_of(unit)[name]
    if isinstance(model, ClinicalChain):
        return model.as_tuned()
    fixed = with_tuned(model, tuned)
    if isinstance(fixed, LateFusion):
        return fixed
    return FixedChain(fixed, {key: values[0] for key, values in fixed.grid.items()})


def with_tuned(model: Any, tuned: Mapping[str, Any]) -> Any:
    """An unfitted model with everything fixed that another one like it tuned; see `tuned_of`."""
    if isinstance(model, LateFusion):
        chains = {block: with_tuned(chain, tuned["blocks"][block]) for block, chain in model.chains.items()}
        return LateFusion(chains, model.blocks, model.stacker)
    steps = [(name, _fixed_step(step, tuned["steps"][name])) for name, step in model.steps]
    grid = {name: (value,) for name, value in tuned["point"].items()}
    return clone(model).set_params(steps=steps, grid=grid, search="grid")


def _fixed_step(step: Any, tuned: Mapping[str, Any]) -> Any:
    if "blocks" in tuned:
        own = {block: [(n, _fixed_step(s, tuned["blocks"][block][n])) for n, s in step.steps] for block in step.blocks}
        return BlockSelector(step.blocks, own)
    return clone(step).set_params(**tuned.get("params", {}))
