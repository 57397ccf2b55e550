"""Blocks of ``study.yaml`` for clinical use: the clinical model, the nomogram, and the model file."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from glottis.study.spec_block import Block

SCORE = "radiomics score"
"""What the score of the study's models is called where it is a predictor beside others."""


class ClinicalModel(Block):
    """Logistic regression of the clinical columns: each alone, then those that enter together.

    Attributes:
        screen: p value of a column alone below which it enters; ``null`` lets all enter.
        forced: columns that enter whatever their p value.
        reference: column to the level that the others are compared with.
        ordinal: column to its levels in their order; one coefficient for a step.
        imputations: completed tables of the training patients, where values are missing.
        labels: column to its printed name in the nomogram.
        units: column to its unit, of numbers.
    """

    screen: float | None = Field(default=0.05, gt=0, le=1)
    forced: tuple[str, ...] = ()
    reference: dict[str, str] = Field(default_factory=dict)
    ordinal: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    imputations: int = Field(default=5, ge=2)
    labels: dict[str, str] = Field(default_factory=dict)
    units: dict[str, str] = Field(default_factory=dict)

    @field_validator("ordinal")
    @classmethod
    def _several_levels(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for name, levels in value.items():
            if len(set(levels)) < 2 or len(set(levels)) < len(levels):
                message = f"ordinal: '{name}' needs at least two levels, each once, in their order"
                raise ValueError(message)
        return value

    @field_validator("ordinal", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: tuple(map(str, own)) if isinstance(own, (list, tuple)) else own for name, own in value.items()}

    @field_validator("reference", mode="before")
    @classmethod
    def _text_levels(cls, value: object) -> object:
        return {name: str(level) for name, level in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _first_is_reference(self) -> Self:
        for name in set(self.reference) & set(self.ordinal):
            message = f"'{name}' has its levels in order, the first is the reference: leave it out of reference"
            raise ValueError(message)
        return self


class Nomogram(Block):
    """The scores of the study's models beside clinical columns, as points on paper.

    Attributes:
        score: scale of the score: the logit of its probability, or the probability.
        features: columns of the feature table that enter as they are, beside score and clinical columns.
        scores: on training patients always those of models that did not see the patient.
    """

    score: Literal["logit", "probability"] = "logit"
    features: tuple[str, ...] = ()
    scores: str = "out_of_fold"

    @field_validator("scores")
    @classmethod
    def _out_of_fold(cls, value: str) -> str:
        if value != "out_of_fold":
            message = (
                "a nomogram needs out-of-fold scores of its training patients: a model knows the patients that it was "
                "fitted on (boosted trees separate them completely), so that in-sample scores would take all points; "
                "leave it out"
            )
            raise ValueError(message)
        return value


class Final(Block):
    """The model that leaves the study as one file.

    Attributes:
        bundle: write ``model.glottis``.
        refits: fits on random halves of the training patients, whose spread is the interval of a prediction.
        explained: patients whose scores are explained by SHAP values.
    """

    bundle: bool = True
    refits: int = Field(default=20, ge=0)
    explained: int = Field(default=200, ge=0)
