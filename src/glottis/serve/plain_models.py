"""Logistic regression, support vector machine and multilayer perceptron as plain numbers, and back.

Nothing in a bundle names a class of Python: each model is built here from numbers that were checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glottis.serve.numbers import floats, integers, number

Plain = dict[str, Any]
KERNELS = ("linear", "poly", "rbf", "sigmoid")
ACTIVATIONS = ("identity", "logistic", "relu", "tanh")
MAX_DEGREE = 20


def regression_content(model: Any) -> Plain:
    """Coefficients of a logistic regression."""
    return {"coefficients": model.coef_[0].tolist(), "intercept": float(np.ravel(model.intercept_)[0])}


def regression_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The logistic regression of these coefficients."""
    from sklearn.linear_model import LogisticRegression

    model = prepared(LogisticRegression(), columns)
    model.coef_ = floats([content["coefficients"]], (1, len(columns)), "the coefficients")
    model.intercept_ = np.array([number(content["intercept"], "the intercept")])
    return model


def machine_content(model: Any) -> Plain:
    """A support vector machine: its vectors are the scaled feature rows of training patients, without their ids."""
    if model.kernel not in KERNELS or getattr(model, "probability", False) is True:
        message = f"its kernel is {model.kernel!r}, or it has probabilities of its own, which have no plain form"
        raise ValueError(message)
    return {
        "kernel": model.kernel,
        "degree": int(model.degree),
        "gamma": float(model._gamma),
        "coef0": float(model.coef0),
        "intercept": float(model.intercept_[0]),
        "per_class": model.n_support_.tolist(),
        "vectors": model.support_vectors_.tolist(),
        "coefficients": model.dual_coef_[0].tolist(),
    }


def machine_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The support vector machine of these vectors."""
    from sklearn.svm import SVC

    kernel = _one_of(content["kernel"], KERNELS, "kernel")
    degree = int(integers([content["degree"]], 1, 0, MAX_DEGREE, "the degree")[0])
    model = prepared(SVC(kernel=kernel, degree=degree, coef0=number(content["coef0"], "coef0")), columns)
    n = len(content["coefficients"])
    per_class = integers(content["per_class"], 2, 0, n, "the numbers of support vectors")
    if per_class.sum() != n or n == 0:
        message = f"the machine has {n} coefficients for {per_class.tolist()} support vectors"
        raise ValueError(message)
    model.dual_coef_ = floats([content["coefficients"]], (1, n), "the coefficients")
    model.intercept_ = np.array([number(content["intercept"], "the intercept")])
    model._dual_coef_, model._intercept_ = -model.dual_coef_, -model.intercept_  # libsvm counts the first class up
    model.support_vectors_ = floats(content["vectors"], (n, len(columns)), "the support vectors")
    model.support_, model._n_support = np.arange(n, dtype=np.int32), per_class.astype(np.int32)
    model._gamma, model._sparse = number(content["gamma"], "gamma", low=0), False
    model._probA = model._probB = np.empty(0)
    model.shape_fit_, model.fit_status_, model.class_weight_ = (n, len(columns)), 0, np.ones(2)
    model._effective_probability = False
    return model


def network_content(model: Any) -> Plain:
    """Weights of a multilayer perceptron."""
    if model.out_activation_ != "logistic":
        message = f"its last layer is {model.out_activation_!r}, not 'logistic'"
        raise ValueError(message)
    layers = zip(model.coefs_, model.intercepts_, strict=True)
    return {
        "activation": model.activation,
        "layers": [{"weights": weights.tolist(), "intercepts": added.tolist()} for weights, added in layers],
    }


def network_of(content: Mapping[str, Any], columns: Sequence[str]) -> Any:
    """The multilayer perceptron of these weights."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import LabelBinarizer

    width, weights, added = len(columns), [], []
    for layer in content["layers"]:
        added.append(floats(layer["intercepts"], (len(layer["intercepts"]),), "the intercepts of a layer"))
        weights.append(floats(layer["weights"], (width, len(added[-1])), "the weights of a layer"))
        width = len(added[-1])
    if width != 1 or not added:
        message = f"the last layer of the perceptron gives {width} values; 1 is needed"
        raise ValueError(message)
    sizes = tuple(len(layer) for layer in added[:-1])
    activation = _one_of(content["activation"], ACTIVATIONS, "activation")
    model = prepared(MLPClassifier(sizes, activation=activation), columns)
    model.coefs_, model.intercepts_ = weights, added
    model.n_layers_, model.n_outputs_, model.out_activation_ = len(added) + 1, 1, "logistic"
    model._label_binarizer = LabelBinarizer().fit(model.classes_)
    return model


def prepared(model: Any, columns: Sequence[str]) -> Any:
    """The unfitted model with the classes and the columns that every fitted one has."""
    model.classes_ = np.array([0, 1])
    model.n_features_in_ = len(columns)
    model.feature_names_in_ = np.asarray(columns, dtype=object)
    return model


def _one_of(word: Any, known: Sequence[str], what: str) -> str:
    if word not in known:
        message = f"its {what} {word!r} is none of {', '.join(known)}"
        raise ValueError(message)
    return str(word)
