"""NetworkClassifier: learns, repeats itself, and keeps to its split."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from tiny_networks import QUICK, auc, noise, same_weights, seeded, squares, tiny

from glottis._errors import CohortError, ImageError, SettingsError
from glottis.deep.settings import STUDY_A, STUDY_B, TrainingSettings
from glottis.deep.training import NetworkClassifier

PATIENT = replace(QUICK, patience=2, epochs=12)


@pytest.mark.parametrize(("mode", "until"), [("full", None), ("partial", "stem"), ("frozen", None)])
def test_every_mode_learns_where_a_bright_square_is(mode: str, until: str | None) -> None:
    X, y = squares(60)
    fitted = NetworkClassifier(seeded, settings=replace(QUICK, epochs=12), mode=mode, frozen_until=until).fit(X, y)
    fresh, truth = squares(60, seed=1)
    assert auc(truth, fitted.predict_proba(fresh)[:, 1]) > 0.95


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_two_trainings_have_the_same_bits(optimiser: str) -> None:
    X, y = squares(30)
    settings = replace(QUICK, optimiser=optimiser, epochs=3, flips=("vertical",), crop=12)
    first, second = (NetworkClassifier(tiny, settings=settings, random_state=5).fit(X, y) for _ in range(2))
    assert same_weights(first.network_, second.network_)


def test_another_seed_gives_another_network() -> None:
    X, y = squares(30)
    first, second = (NetworkClassifier(seeded, settings=QUICK, random_state=seed).fit(X, y) for seed in (0, 1))
    assert first.start_hash_ == second.start_hash_
    assert not same_weights(first.network_, second.network_)


def test_a_training_leaves_torch_as_it_was() -> None:
    X, y = squares(30)
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    NetworkClassifier(tiny, settings=QUICK, threads=2).fit(X, y)
    assert torch.equal(torch.rand(1), expected)
    assert torch.get_num_threads() == 1


def test_a_backbone_that_is_handed_over_keeps_its_weights() -> None:
    X, y = squares(30)
    backbone = seeded()
    before = [weights.clone() for weights in backbone.module.state_dict().values()]
    NetworkClassifier(backbone, settings=QUICK).fit(X, y)
    assert all(torch.equal(a, b) for a, b in zip(before, backbone.module.state_dict().values(), strict=True))


def test_early_stopping_keeps_every_patient_on_one_side() -> None:
    X, y = squares(60)
    groups = np.repeat(np.arange(15), 4)
    fitted = NetworkClassifier(seeded, settings=PATIENT).fit(X, y, groups)
    held = fitted.validation_rows_
    assert held.size
    assert not set(groups[held]) & set(np.delete(groups, held))


def test_early_stopping_returns_the_weights_of_the_lowest_validation_loss() -> None:
    X, y = noise(40, seed=1)
    fitted = NetworkClassifier(seeded, settings=PATIENT).fit(X, y)
    assert fitted.best_epoch_ < len(fitted.history_)
    losses = [epoch.validation_loss for epoch in fitted.history_]
    held = fitted.validation_rows_
    odds = fitted.predict_proba(X[held])[np.arange(held.size), y[held]]
    assert fitted.best_epoch_ == 1 + int(np.argmin(losses))
    assert -np.log(odds).mean() == pytest.approx(min(losses), rel=1e-5)


def test_patience_ends_a_training_on_noise_early() -> None:
    X, y = noise(40, seed=1)
    fitted = NetworkClassifier(seeded, settings=replace(PATIENT, epochs=60)).fit(X, y)
    assert len(fitted.history_) == fitted.best_epoch_ + 2 < 60


def test_held_out_rows_train_no_weight() -> None:
    X, y = squares(40)
    settings = replace(PATIENT, epochs=1)
    first = NetworkClassifier(seeded, settings=settings).fit(X, y)
    marked = X.copy()
    marked[first.validation_rows_] += 100
    second = NetworkClassifier(seeded, settings=settings).fit(marked, y)
    assert same_weights(first.network_, second.network_)
    assert first.history_[0].validation_loss != second.history_[0].validation_loss


def test_balanced_weights_make_the_rare_class_count_as_much() -> None:
    X, y = squares(60)
    rows = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:4]])
    plain, balanced = (
        NetworkClassifier(seeded, settings=replace(QUICK, class_weight=weight, epochs=4)).fit(X[rows], y[rows])
        for weight in (None, "balanced")
    )
    assert balanced.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.05


def test_balanced_loss_is_the_mean_of_the_loss_of_each_class() -> None:
    X, y = squares(24)
    rows = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:4]])
    settings = replace(PATIENT, class_weight="balanced", validation_fraction=0.25)
    fitted = NetworkClassifier(seeded, settings=settings).fit(X[rows], y[rows])
    held = rows[fitted.validation_rows_]
    losses = -np.log(fitted.predict_proba(X[held])[np.arange(held.size), y[held]])
    train = np.delete(y[rows], fitted.validation_rows_)
    weights = (train.size / (2 * np.bincount(train)))[y[held]]
    expected = (weights * losses).sum() / weights.sum()
    assert fitted.history_[fitted.best_epoch_ - 1].validation_loss == pytest.approx(expected, rel=1e-5)


def test_a_fit_says_what_it_did() -> None:
    X, y = squares(30)
    fitted = NetworkClassifier(seeded, settings=QUICK, device="auto", threads=1).fit(X, y)
    assert fitted.device_ == ("cuda" if torch.cuda.is_available() else "cpu")
    assert (fitted.threads_, fitted.width_, fitted.origin_) == (1, 16, "random weights of a test")
    assert [epoch.epoch for epoch in fitted.history_] == [1, 2, 3, 4, 5, 6]
    assert fitted.images_per_second_ == pytest.approx(30 * 6 / fitted.seconds_)


def test_progress_hears_of_every_batch_and_epoch() -> None:
    X, y = squares(40)
    heard: list[tuple[str, int, int, str]] = []
    NetworkClassifier(seeded, settings=replace(PATIENT, epochs=1)).fit(X, y, progress=lambda *said: heard.append(said))
    assert [said[1:3] for said in heard] == [(0, 1), (0, 1), (1, 1)]
    assert heard[0][3] == "epoch 1: batch 1 of 2"
    assert heard[-1][3].startswith("epoch 1: loss 0.")


def test_an_estimator_can_be_cloned_and_pickled() -> None:
    X, y = squares(30)
    estimator = NetworkClassifier(seeded, settings=QUICK, mode="partial", frozen_until="stem", random_state=4)
    assert clone(estimator).get_params() == estimator.get_params()
    fitted = pickle.loads(pickle.dumps(estimator.fit(X, y)))
    assert np.array_equal(fitted.predict_proba(X), estimator.predict_proba(X))


def test_classes_keep_their_names() -> None:
    X, y = squares(30)
    fitted = NetworkClassifier(seeded, settings=replace(QUICK, epochs=12)).fit(X, np.where(y, "III-IV", "I-II"))
    assert list(fitted.classes_) == ["I-II", "III-IV"]
    assert np.mean(fitted.predict(X) == np.where(y, "III-IV", "I-II")) > 0.9


def test_the_frozen_head_is_the_logistic_regression_on_the_embedding() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = squares(60)
    fitted = NetworkClassifier(seeded, mode="frozen").fit(X, y)
    with torch.no_grad():
        features = seeded().module.eval()(torch.from_numpy(X)).numpy().astype(float)
    expected = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(features, y)
    assert fitted.embed(X) == pytest.approx(features, abs=1e-6)
    assert fitted.predict_proba(X) == pytest.approx(expected.predict_proba(features), abs=1e-5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mode": "whole"}, "mode='whole' is not known: did you mean|known"),
        ({"mode": "partial"}, "mode='partial' with frozen_until=None: name the last frozen stage"),
        ({"frozen_until": "stem"}, "mode='full' with frozen_until='stem'"),
        ({"mode": "partial", "frozen_until": "stm"}, "frozen_until='stm' is no stage .*: did you mean 'stem'"),
        ({"cache": "ram"}, "cache='ram' is not known"),
        ({"device": "abacus"}, "The device 'abacus' is not there: give 'auto'"),
        ({"threads": 0}, "threads=0 is out of range"),
        ({"settings": replace(QUICK, crop=99)}, r"crop=99 is larger than the images \(16 x 16\)"),
        ({"settings": replace(QUICK, learning_rate=1e30, optimiser="sgd")}, "The loss is not finite in epoch"),
    ],
)
def test_what_cannot_be_done_is_refused(change: dict[str, object], says: str) -> None:
    X, y = squares(20)
    with pytest.raises(SettingsError, match=says):
        NetworkClassifier(seeded, **{"settings": QUICK, **change}).fit(X, y)


@pytest.mark.parametrize(
    ("X", "y", "error", "says"),
    [
        (np.zeros((4, 8, 8)), [0, 1, 0, 1], ImageError, r"shape \(4, 8, 8\): give \(n, channels, height, width\)"),
        (np.full((4, 1, 8, 8), np.nan), [0, 1, 0, 1], ImageError, "Image 0 has values that are not finite"),
        (np.zeros((4, 1, 8, 8)), [0, 1, 2, 1], CohortError, "two classes; got 3: check the outcome"),
        (np.zeros((4, 1, 8, 8)), [0, 1], CohortError, "give one class an image"),
    ],
)
def test_images_and_classes_that_cannot_be_used_are_refused(X, y, error, says) -> None:
    with pytest.raises(error, match=says):
        NetworkClassifier(seeded, settings=QUICK).fit(X, y)


def test_an_inner_split_needs_enough_patients() -> None:
    X, y = squares(8)
    with pytest.raises(CohortError, match="smaller class has 4: use fewer folds or collect more"):
        NetworkClassifier(seeded, settings=PATIENT).fit(X, y)
    with pytest.raises(CohortError, match=r"Groups of shape \(3,\) for 8 images: give one group an image"):
        NetworkClassifier(seeded, settings=QUICK).fit(X, y, [1, 2, 3])


def test_the_papers_settings_are_theirs() -> None:
    assert (STUDY_A.optimiser, STUDY_A.flips, STUDY_A.crop) == ("sgd", ("horizontal", "vertical"), 224)
    assert (STUDY_B.optimiser, STUDY_B.learning_rate, STUDY_B.batch_size, STUDY_B.crop) == ("adam", 1e-4, 64, 224)
    assert STUDY_B.weight_decay > 0
    assert STUDY_B.patience is not None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"optimiser": "adma"}, "optimiser='adma' is not known: did you mean 'adam'"),
        ({"flips": ("diagonal",)}, "flips='diagonal' is not known"),
        ({"class_weight": "balance"}, "did you mean 'balanced'"),
        ({"learning_rate": 0}, "learning_rate=0 is out of range: give a value above 0"),
        ({"momentum": 1}, "momentum=1 is out of range"),
        ({"weight_decay": -1}, "weight_decay=-1 is out of range"),
        ({"batch_size": 1}, "batch_size=1 is out of range: give a value at least 2"),
        ({"epochs": 0}, "epochs=0 is out of range"),
        ({"crop": 0}, "crop=0 is out of range"),
        ({"patience": 0}, "patience=0 is out of range"),
        ({"validation_fraction": 0.6}, "validation_fraction=0.6 is out of range"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        TrainingSettings(**change)
