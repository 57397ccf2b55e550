from __future__ import annotations

import dataclasses
import inspect
import subprocess
import sys

import pytest

import glottis.evaluation
from glottis._errors import InputError

SCORES = {
    *("roc_auc", "delong_test", "hanley_mcneil_ci", "bootstrap_ci", "youden_threshold", "confusion_metrics"),
    *("calibration", "hosmer_lemeshow", "decision_curve", "net_reclassification", "integrated_discrimination"),
}
SURVIVAL = {"kaplan_meier", "logrank_test", "cox_regression", "concordance_index", "time_dependent_auc"}
OTHERS = {
    *("delong_matrix", "mcnemar_test", "cohen_kappa", "fleiss_kappa", "icc", "optimism"),
    *("baseline_table", "logistic_table", "sample_size"),
}

RESULTS = [name for name in glottis.evaluation.__all__ if not name.islower() and not name.endswith("Outcome")]
SHARED_WORDS = {
    "interval": ("Interval",),
    "p_value": ("float", "float | None", "Floats"),
    "statistic": ("float", "float | None"),
    "note": ("str",),
    "method": ("str", "Literal['median', 'youden']"),
    "level": ("float", "str | None"),  # of confidence; a row's is its category
    "n": ("int", "Floats", "tuple[int, ...]", "tuple[int, int]"),
    "low": ("Floats", "float | None"),
    "high": ("Floats", "float | None"),
}


def first_arguments(name: str) -> list[str]:
    return list(inspect.signature(getattr(glottis.evaluation, name)).parameters)


def printed_by(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_names_that_users_rely_on_are_public() -> None:
    assert set(glottis.evaluation.__all__) >= SCORES | SURVIVAL | OTHERS


@pytest.mark.parametrize("name", glottis.evaluation.__all__)
def test_every_public_name_is_documented_and_at_home_in_its_module(name: str) -> None:
    item = getattr(glottis.evaluation, name)
    assert inspect.getdoc(item)
    assert (item.__name__, item.__module__) == (name, glottis.evaluation._HOMES[name])


def test_the_table_of_homes_holds_the_public_names_and_no_others() -> None:
    assert sorted(glottis.evaluation._HOMES) == sorted(glottis.evaluation.__all__) == dir(glottis.evaluation)


@pytest.mark.parametrize("name", sorted(SCORES))
def test_the_outcome_comes_before_the_score(name: str) -> None:
    assert first_arguments(name)[:2] == ["y_true", "y_score"]


@pytest.mark.parametrize("name", sorted(SURVIVAL))
def test_time_comes_before_the_event_and_this_before_the_risk(name: str) -> None:
    assert first_arguments(name)[:2] == ["time", "event"]
    assert "risk" not in first_arguments(name)[3:]


@pytest.mark.parametrize("name", [name for name in glottis.evaluation.__all__ if name.islower()])
def test_what_has_a_default_is_given_by_name(name: str) -> None:
    parameters = inspect.signature(getattr(glottis.evaluation, name)).parameters.values()
    optional = [item for item in parameters if item.default is not item.empty]
    assert [item.name for item in optional if item.kind is not item.KEYWORD_ONLY] == []


@pytest.mark.parametrize("name", RESULTS)
def test_results_share_their_words(name: str) -> None:
    words = {field.name: str(field.type) for field in dataclasses.fields(getattr(glottis.evaluation, name))}
    assert not {"p", "reason", "pvalue", "n_subjects", "ci", "estimate"} & set(words)
    assert words.get("value", "float") in ("float", "float | None", "Floats")
    for word, kind in SHARED_WORDS.items():
        assert words.get(word, kind[0]) in kind, word


def test_a_refusal_is_a_value_error_and_the_users_input() -> None:
    with pytest.raises(ValueError, match="must hold both classes") as refusal:
        glottis.evaluation.roc_auc([1, 1], [0.1, 0.2])
    assert isinstance(refusal.value, InputError)


def test_every_public_result_gives_its_plain_values() -> None:
    assert [name for name in RESULTS if not hasattr(getattr(glottis.evaluation, name), "to_dict")] == []


@pytest.mark.parametrize("name", ["calibration", "optimism"])
def test_a_function_is_not_hidden_by_the_module_of_its_name(name: str) -> None:
    code = f"from glottis.evaluation.{name} import {name} as known; from glottis.evaluation import {name}"
    assert printed_by(f"{code}; print({name} is known)") == "True"


def test_importing_the_package_loads_no_library() -> None:
    code = "import sys, glottis.evaluation; print(sorted({'numpy', 'scipy', 'pandas', 'sklearn'} & set(sys.modules)))"
    assert printed_by(code) == "[]"


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"module 'glottis\.evaluation' has no attribute 'auc'"):
        getattr(glottis.evaluation, "au" + "c")
