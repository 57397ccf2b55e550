"""Any scikit-learn classifier by its import path."""

from __future__ import annotations

import importlib
from typing import Any

from sklearn.base import BaseEstimator, is_classifier

from glottis._errors import SettingsError
from glottis.modelling.classifiers import ClassifierSpec


def imported_classifier(path: str, *, allow_code: bool = False) -> ClassifierSpec:
    """The classifier at ``package.module:Class``, with its own defaults, one thread and a seed where it takes them.

    Its grid is one point, its defaults, unless the user gives one. Features come as a plain array, which every
    scikit-learn classifier takes. Its scores are recalibrated, since nothing is known of them; without
    ``predict_proba`` they are its ``decision_function`` drawn into 0 to 1.

    Args:
        path: for example ``"sklearn.naive_bayes:GaussianNB"``.
        allow_code: importing runs code that glottis does not know, so the user must say yes.

    Raises:
        SettingsError: not allowed, nothing there, or no classifier.
    """
    if not allow_code:
        message = f"Classifier {path!r} runs code from outside glottis: allow it with --allow-code (allow_code=True)."
        raise SettingsError(message)
    found = _load(path)
    if not isinstance(found, type) or not hasattr(found, "fit") or not hasattr(found, "set_params"):
        message = f"Classifier {path!r} is no scikit-learn estimator class: give one as 'package.module:Class'."
        raise SettingsError(message)
    return ClassifierSpec(name=path, make=lambda seed: _made(path, found, seed), grid={}, recalibrate=True, named=False)


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"Classifier {path!r} cannot be imported ({error}): give 'package.module:Class' of what is installed."
        raise SettingsError(message) from error


def _made(path: str, kind: type[Any], seed: int) -> Any:
    try:
        estimator = kind()
    except Exception as error:
        message = f"Classifier {path!r} cannot be made without arguments ({error}): give a class with defaults for all."
        raise SettingsError(message) from error
    if not isinstance(estimator, BaseEstimator) or not is_classifier(estimator):
        message = f"Classifier {path!r} is no scikit-learn classifier: take one that learns two classes."
        raise SettingsError(message)
    if not hasattr(estimator, "predict_proba") and not hasattr(estimator, "decision_function"):
        message = f"Classifier {path!r} gives no scores (predict_proba or decision_function): take one that does."
        raise SettingsError(message)
    known = estimator.get_params()
    fixed = {"random_state": seed, "n_jobs": 1}
    return estimator.set_params(**{name: value for name, value in fixed.items() if name in known})
