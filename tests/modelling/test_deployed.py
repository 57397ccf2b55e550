from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer

from deployed_models import (
    BATCHES,
    BLOCKS,
    FRESH,
    MARK,
    NAMES,
    WEIGHABLE,
    X,
    Y,
    chain,
    fitted,
    fused,
    scorer,
    steps,
)
from glottis._errors import BundleError
from glottis.modelling import CLASSIFIERS, ComBat, LateFusion, LogisticCurve, SurvivalChain
from glottis.modelling.deployed import Scorer
from glottis.modelling.deployed_fusion import FusedScorer
from glottis.modelling.deploying import scorer_of
from glottis.modelling.plain_steps import Correction, Scale, step_of

EVERY = [
    *((name, kind) for name in NAMES for kind in ("plain", "combat", "seed", "late")),
    *((name, "weighted") for name in WEIGHABLE),
]


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_a_scorer_says_bit_for_bit_what_its_model_says(name: str, kind: str) -> None:
    model = fitted(name, kind)
    np.testing.assert_array_equal(scorer_of(model).probability(FRESH, BATCHES), model.predict_proba(FRESH)[:, 1])


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_a_patient_alone_has_the_bits_that_he_has_in_a_table(name: str, kind: str) -> None:
    made = scorer_of(fitted(name, kind))
    alone = [made.probability(FRESH.iloc[[place]], BATCHES)[0] for place in range(len(FRESH))]
    np.testing.assert_array_equal(made.probability(FRESH, BATCHES), alone)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_itself_scores_a_patient_alone_as_in_a_table(name: str) -> None:
    model = fitted(name, "late")
    alone = [model.predict_proba(FRESH.iloc[[place]])[0, 1] for place in range(len(FRESH))]
    np.testing.assert_array_equal(model.predict_proba(FRESH)[:, 1], alone)


@pytest.mark.parametrize("name", NAMES)
def test_a_scorer_reads_the_final_features_alone(name: str) -> None:
    made = scorer(name, "combat")
    assert list(made.columns) == fitted(name, "combat").selected_
    assert len(made.columns) < X.shape[1]
    few = FRESH.loc[:, list(made.columns)[::-1]]
    np.testing.assert_array_equal(made.probability(few, BATCHES), made.probability(FRESH, BATCHES))


def test_a_refit_chain_has_raw_scores_and_takes_the_curve_of_another() -> None:
    model = fitted("random_forest")
    refit = model.as_tuned().fit(X.iloc[:50], Y.iloc[:50])
    np.testing.assert_array_equal(scorer_of(refit).probability(FRESH), refit.predict_proba(FRESH)[:, 1])
    lent = scorer_of(refit, recalibration=model.recalibration_)
    np.testing.assert_array_equal(lent.probability(FRESH), model.recalibration_(refit.raw_score(FRESH)))
    assert lent.threshold is None


def test_raw_scores_are_those_before_recalibration() -> None:
    made = scorer("svm")
    np.testing.assert_array_equal(made.recalibration(made.raw(FRESH)), made.probability(FRESH))
    assert made.threshold == fitted("svm").threshold_
    assert made.classes == (0, 1)


def test_an_imported_classifier_scores_as_in_the_study() -> None:
    model = chain("sklearn.naive_bayes:GaussianNB", allow_code=True).fit(X, Y)
    np.testing.assert_array_equal(scorer_of(model).probability(FRESH), model.predict_proba(FRESH)[:, 1])


@pytest.mark.parametrize("prior", ["parametric", "nonparametric", "none"])
@pytest.mark.parametrize("more", [{}, {"mean_only": True}, {"reference": "west"}])
def test_a_correction_restricted_to_few_columns_has_the_bits_of_the_whole(prior: Any, more: dict[str, Any]) -> None:
    whole = X.fillna(4.0)
    combat = ComBat(BATCHES["batch"], BATCHES[["age", "sex"]], prior=prior, **more).fit(whole)
    model = chain("logistic_regression", steps=[("impute", steps()[0][1]), ("combat", combat)]).fit(X, Y)
    step = scorer_of(model).steps[1]
    few = ["b_1<y>", "a_2[x]"]
    cut = _restricted(step, few)
    new = FRESH.fillna(3.0)
    expected = model.steps_[1][1].transform(new)[few].to_numpy()
    np.testing.assert_array_equal(cut(new[few].to_numpy(), new.index, BATCHES), expected)


def _restricted(step: Correction, few: list[str]) -> Correction:
    places = [step.columns.index(name) for name in few]

    def cut(row: Any) -> tuple[float, ...]:
        return tuple(row[place] for place in places)

    effects = {name: {label: cut(row) for label, row in getattr(step, name).items()} for name in ("shift", "spread")}
    slopes = tuple(map(cut, step.slopes))
    return replace(step, columns=tuple(few), mean=cut(step.mean), sd=cut(step.sd), slopes=slopes, **effects)


def test_an_unseen_batch_is_refused_or_left_as_the_reference_as_in_training() -> None:
    made = scorer("logistic_regression", "combat")
    assert made.known_batches == ("east", "north", "west")
    assert made.batch_columns == ("batch", "age", "sex")
    new = BATCHES.assign(batch=BATCHES["batch"].replace("west", "south"))
    with pytest.raises(ValueError, match=r"Batch 'south' \(\d+ rows\) is not among the training batches 'east'"):
        made.probability(FRESH, new)


def test_an_unseen_batch_can_be_left_uncorrected() -> None:
    model = chain("logistic_regression", steps=steps(combat=True, unseen="reference")).fit(X, Y)
    new = BATCHES.assign(batch=BATCHES["batch"].mask(BATCHES.index.str.startswith("new"), "south"))
    step = next(own for own in scorer_of(model).steps if isinstance(own, Correction))
    values = FRESH.loc[:, list(step.columns)].to_numpy()
    np.testing.assert_array_equal(step(values, FRESH.index, new), values)


def test_a_batch_estimated_from_many_patients_is_refused_for_one() -> None:
    model = chain("logistic_regression", steps=steps(combat=True, unseen="transductive")).fit(X, Y)
    with pytest.raises(ValueError, match="the model cannot correct it"):
        scorer_of(model).probability(FRESH, BATCHES.assign(batch="south"))


@pytest.mark.parametrize(
    ("batches", "said"),
    [
        (None, "needs batch, age, sex of every patient; 'batch' is absent"),
        (BATCHES.drop(columns="sex"), "'sex' is absent"),
        (BATCHES.iloc[:90], "rows are not in the batch"),
        (BATCHES.assign(sex="x"), "Covariate 'sex' of 'new000' is 'x'"),
        (BATCHES.assign(batch=None), "has no batch"),
    ],
)
def test_batches_that_do_not_suit_are_refused(batches: pd.DataFrame | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scorer("logistic_regression", "combat").probability(FRESH, batches)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X: X.iloc[:, :0], r"6 of the 6 features that the model reads are missing, for example 'a_0\[x\]'"),
        (lambda X: X.astype(str), "holds no numbers"),
        (lambda X: X.replace(X.iloc[0, 0], np.inf), "is not finite"),
        (lambda X: pd.concat([X, X]), "occurs twice"),
    ],
)
def test_rows_that_do_not_suit_are_refused(change: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scorer("logistic_regression").probability(change(FRESH.fillna(5.0)))


@pytest.mark.parametrize("name", NAMES)
def test_plain_values_of_a_scorer_survive_json(name: str) -> None:
    made = scorer(name, "combat")
    again = Scorer.from_dict(json.loads(json.dumps(made.to_dict(), allow_nan=False)), made.classifier)
    assert again == made


def test_plain_values_of_a_fusion_survive_json() -> None:
    made = fused("logistic_regression")
    text = json.dumps(made.to_dict(), allow_nan=False)
    again = FusedScorer.from_dict(json.loads(text), {block: own.classifier for block, own in made.blocks.items()})
    np.testing.assert_array_equal(again.probability(FRESH, BATCHES), made.probability(FRESH, BATCHES))
    assert (again.columns, again.batch_columns, again.known_batches) == (
        made.columns,
        made.batch_columns,
        made.known_batches,
    )


@pytest.mark.parametrize("kind", ["combat", "late"])
def test_no_scorer_knows_a_training_patient(kind: str) -> None:
    made = scorer_of(fitted("svm", kind))
    assert MARK not in repr(made.to_dict())


def test_a_step_without_a_plain_form_is_refused() -> None:
    extra = [("impute", steps()[0][1]), ("pca", PCA(3).set_output(transform="pandas"))]
    model = chain("logistic_regression", steps=extra).fit(X, Y)
    with pytest.raises(BundleError, match=r"Step 'pca' \(PCA\) has no plain form"):
        scorer_of(model)


def test_an_imputation_with_indicators_is_refused() -> None:
    impute = SimpleImputer(strategy="median", add_indicator=True).set_output(transform="pandas")
    model = chain("logistic_regression", steps=[("impute", impute)]).fit(X, Y)
    with pytest.raises(BundleError, match="with indicators"):
        scorer_of(model)


def test_another_kind_of_model_is_refused() -> None:
    with pytest.raises(BundleError, match="A SurvivalChain has no plain form"):
        scorer_of(SurvivalChain([]))


def test_a_curve_is_lent_to_refits_alone() -> None:
    with pytest.raises(BundleError, match="A TunedChain has a recalibration of its own"):
        scorer_of(fitted("svm"), recalibration=LogisticCurve(1.0, 0.0))


def test_a_fusion_of_fusions_is_refused() -> None:
    model = fitted("logistic_regression", "late")
    nested = LateFusion({"both": model}, {"both": [*BLOCKS["T1WI"], *BLOCKS["T2WI"]]}).fit(X, Y)
    with pytest.raises(BundleError, match="Block 'both' is a fusion itself"):
        scorer_of(nested)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"columns": ()}, "A scorer reads columns, each once"),
        ({"columns": ("a", "a")}, "A scorer reads columns, each once"),
        ({"steps": (Scale(columns=("z",), mean=(0.0,), sd=(1.0,)),)}, "A scorer reads columns, each once"),
        ({"threshold": float("nan")}, "finite numbers; got nan"),
        ({"recalibration": LogisticCurve(1.0, None)}, "finite numbers; got None"),
    ],
)
def test_a_malformed_scorer_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(scorer("logistic_regression"), **change)


def test_a_stacker_for_other_blocks_is_refused() -> None:
    made = fused("logistic_regression")
    with pytest.raises(ValueError, match="one weight a block"):
        replace(made, blocks={"T1WI": made.blocks["T1WI"]})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"kind": "rotate"}, "Step 'rotate' is not known: there are fill, scale, batch"),
        ({"kind": "fill", "columns": ["a"], "values": [None]}, "one finite number a column for 'values'"),
        ({"kind": "scale", "columns": ["a"], "mean": [0.0], "sd": [0.0]}, "one number above 0 a column for 'sd'"),
        ({"kind": "scale", "columns": ["a"], "mean": ["1"], "sd": [1.0]}, "one finite number a column for 'mean'"),
    ],
)
def test_a_malformed_step_is_refused(content: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        step_of(content)


def test_a_correction_of_other_batches_is_refused() -> None:
    step = next(own for own in scorer("svm", "combat").steps if isinstance(own, Correction))
    with pytest.raises(ValueError, match="shift and spread of the same training batches"):
        replace(step, trained=("east",))


def test_every_classifier_of_a_study_has_been_tried() -> None:
    assert set(NAMES) == set(CLASSIFIERS)
