"""From a fitted model to the scorer that does to a row what the model does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from glottis._errors import BundleError
from glottis.modelling.blocks import BlockSelector
from glottis.modelling.chain import Chain
from glottis.modelling.crossval import TunedChain
from glottis.modelling.deployed import Classes, Scorer
from glottis.modelling.deployed_fusion import AnyScorer, FusedScorer
from glottis.modelling.fixed import FixedChain
from glottis.modelling.fusion import LateFusion
from glottis.modelling.harmonise import ComBat
from glottis.modelling.plain_steps import Correction, Fill, PlainStep, Scale
from glottis.modelling.scaling import LogisticCurve
from glottis.modelling.views import Steps


def scorer_of(model: Any, *, recalibration: LogisticCurve | None = None) -> AnyScorer:
    """What a fitted model does to a row, restricted to the features that it needs in the end.

    Args:
        model: a fitted `TunedChain`, `FixedChain` or `LateFusion`.
        recalibration: curve for a `FixedChain`, which has none of its own.

    Raises:
        BundleError: another model, or a step that is no selector, imputation, ComBat or z-score.
    """
    if recalibration is not None and not isinstance(model, FixedChain):
        message = f"A {type(model).__name__} has a recalibration of its own: leave recalibration out."
        raise BundleError(message)
    if isinstance(model, LateFusion):
        check_is_fitted(model, "stacker_")
        return _fused(model)
    if isinstance(model, TunedChain):
        check_is_fitted(model, "classifier_")
        return _of_chain(model, model.recalibration_)
    if isinstance(model, FixedChain) and isinstance(model.chain, TunedChain):
        check_is_fitted(model, "classifier_")
        return _of_chain(model, recalibration)
    message = f"A {type(model).__name__} has no plain form: give a fitted TunedChain, FixedChain or LateFusion."
    raise BundleError(message)


def _fused(model: LateFusion) -> FusedScorer:
    blocks: dict[str, Scorer] = {}
    for block, chain in model.chains_.items():
        scorer = scorer_of(chain)
        if not isinstance(scorer, Scorer):
            message = f"Block {block!r} is a fusion itself, which has no plain form: give it one chain."
            raise BundleError(message)
        blocks[block] = scorer
    return FusedScorer(
        blocks=blocks, stacker=model.stacker_, threshold=float(model.threshold_), classes=_classes(model)
    )


def _of_chain(model: TunedChain | FixedChain, recalibration: LogisticCurve | None) -> Scorer:
    chain: Chain = model.chain if isinstance(model, FixedChain) else model
    threshold = getattr(model, "threshold_", None)
    return Scorer(
        columns=tuple(model.selected_),
        steps=tuple(_plain_steps(model.steps_, model.selected_)),
        model=chain._spec().name,
        classifier=model.classifier_,
        recalibration=recalibration,
        threshold=None if threshold is None else float(threshold),
        classes=_classes(model),
    )


def _classes(model: Any) -> Classes:
    negative, positive = np.asarray(model.classes_).tolist()
    return negative, positive


def _plain_steps(steps: Steps, columns: Sequence[str]) -> list[PlainStep]:
    found: list[PlainStep] = []
    for name, step in steps:
        _refuse_other(name, step)
    for _, step in steps:
        if isinstance(step, BlockSelector):
            for block, own in step.steps_.items():
                found += _plain_steps(own, [column for column in columns if column in step.kept_[block]])
        elif type(step) in _PLAIN:
            found.append(_PLAIN[type(step)](step, tuple(columns)))
    return [step for step in found if step.columns or isinstance(step, Correction)]  # which may refuse a batch


def _refuse_other(name: str, step: Any) -> None:
    if not isinstance(step, BlockSelector | SelectorMixin) and type(step) not in _PLAIN:  # selectors only pick columns
        message = (
            f"Step {name!r} ({type(step).__name__}) has no plain form, so the model cannot be put in a bundle: "
            "use selectors, median imputation, ComBat and z-score."
        )
        raise BundleError(message)


def _fill(step: SimpleImputer, columns: tuple[str, ...]) -> Fill:
    if step.add_indicator or not _is_nan(step.missing_values):
        message = "An imputation with indicators, or of other marks than nan, has no plain form: use neither."
        raise BundleError(message)
    return Fill(columns=columns, values=_of_columns(step, step.statistics_, columns))


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)


def _scale(step: StandardScaler, columns: tuple[str, ...]) -> Scale:
    mean = step.mean_ if step.with_mean else np.zeros(step.n_features_in_)
    sd = step.scale_ if step.with_std else np.ones(step.n_features_in_)
    return Scale(columns=columns, mean=_of_columns(step, mean, columns), sd=_of_columns(step, sd, columns))


def _correction(step: ComBat, columns: tuple[str, ...]) -> Correction:
    own = tuple(name for name in columns if name in step.shift_.columns)
    places = step.shift_.columns.get_indexer(pd.Index(own))
    changed = [label for label in step.batches_ if label != step.fixed_]
    return Correction(
        columns=own,
        mean=tuple(step.scale_.mean[places].tolist()),
        sd=tuple(step.scale_.sd[places].tolist()),
        coding=step.coding_,
        slopes=tuple(tuple(row) for row in step.scale_.slopes[:, places].tolist()),
        shift={str(label): tuple(step.shift_.loc[label].to_numpy()[places].tolist()) for label in changed},
        spread={str(label): tuple(step.spread_.loc[label].to_numpy()[places].tolist()) for label in changed},
        trained=tuple(map(str, step.batches_)),
        unseen="reference" if step.unseen == "reference" else "refuse",  # one patient alone cannot be "transductive"
    )


def _of_columns(step: Any, values: Any, columns: tuple[str, ...]) -> tuple[float, ...]:
    by_name = dict(zip(map(str, step.feature_names_in_), np.asarray(values, dtype=np.float64).tolist(), strict=True))
    return tuple(by_name[name] for name in columns)


_PLAIN: Mapping[type, Callable[[Any, tuple[str, ...]], PlainStep]] = {
    SimpleImputer: _fill,
    StandardScaler: _scale,
    ComBat: _correction,
}
