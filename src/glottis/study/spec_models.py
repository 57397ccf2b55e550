"""Blocks of ``study.yaml`` for what is fitted: selection, classifiers, fusion, harmonisation, controls."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from glottis._errors import nearest
from glottis.study.spec_block import Block

Classifier = Literal["logistic_regression", "svm", "random_forest", "extra_trees", "xgboost", "lightgbm", "mlp"]
CLASSIFIER_NAMES: tuple[str, ...] = get_args(Classifier)


class Icc(Block):
    """Reproducibility gate; ``use: lower`` asks the lower CI bound to pass."""

    threshold: float = Field(default=0.75, ge=0, le=1)
    form: Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"] = "ICC(2,1)"
    use: Literal["point", "lower"] = "point"


class Robustness(Block):
    """Gate of robustness over perturbed scans; ``use: lower`` asks the lower CI bound to pass."""

    threshold: float = Field(default=0.75, ge=0, le=1)
    form: Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"] = "ICC(1,1)"
    use: Literal["point", "lower"] = "lower"


class Univariate(Block):
    """A test of every feature alone; ``adjust`` corrects the p values for the number of features."""

    test: Literal["t", "welch", "mann-whitney", "anova"] = "t"
    p: float = Field(default=0.05, gt=0, le=1)
    adjust: Literal["benjamini_hochberg", "holm"] | None = None


class Lasso(Block):
    """LASSO with squared loss; ``min`` takes the penalty of least error, ``1se`` the sparser one within one SE."""

    folds: int = Field(default=5, ge=3)
    rule: Literal["min", "1se"] = "min"


class Selection(Block):
    """Feature selection, always inside the training patients, in this order.

    Attributes:
        perturbation: where scans were perturbed (``perturbations``).
        icc: where there are repeated measurements.
        univariate: a test of each feature alone.
        spearman: of a pair that correlates more, the first stays.
        boruta: features more important than shuffled ones (extra ``boruta``).
        mrmr: this many relevant features that do not repeat one another.
        lasso: features that a LASSO keeps.
        n_features: left by recursive elimination; ``cv`` takes the number of least error.
        per_block: select in every sequence or block by itself (early fusion).
    """

    perturbation: Robustness | None = Robustness()
    icc: Icc | None = Icc()
    univariate: Univariate | None = None
    spearman: float | None = Field(default=0.9, gt=0, le=1)
    boruta: bool = False
    mrmr: int | None = Field(default=None, ge=1)
    lasso: Lasso | None = Lasso()
    n_features: int | Literal["cv"] | None = 15
    per_block: bool = False

    @field_validator("n_features")
    @classmethod
    def _at_least_one(cls, value: Any) -> Any:
        if isinstance(value, int) and value < 1:
            message = f"at least one feature must be left, got {value}"
            raise ValueError(message)
        return value


class Tuning(Block):
    """How parameters are searched: the whole grid, or ``n_trials`` points at random or by a Bayesian search."""

    kind: Literal["grid", "random", "bayes"] = "grid"
    n_trials: int = Field(default=20, ge=1)


class Model(Block):
    """The classifiers and their tuning.

    Attributes:
        classifier: one name, several, or ``all`` for the seven; ``package.module:Class`` for any scikit-learn
            classifier (with --allow-code).
        folds: inner folds of the tuning.
        grid: parameter to values; with several classifiers, classifier to such a grid.
        search: how the grid is searched.
        class_weight: ``balanced`` lets both classes weigh the same.
        recalibrate: fit a curve on out-of-fold scores that makes them probabilities.
    """

    classifier: tuple[str, ...] = ("random_forest",)
    folds: int = Field(default=5, ge=2)
    grid: dict[str, Any] | None = None
    search: Tuning = Tuning()
    class_weight: Literal["balanced"] | None = None
    recalibrate: bool = True

    @field_validator("classifier", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        if value == "all":
            return CLASSIFIER_NAMES
        return (value,) if isinstance(value, str) else value

    @field_validator("classifier")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            message = "name at least one classifier"
            raise ValueError(message)
        for name in value:
            if ":" not in name and name not in CLASSIFIER_NAMES:
                message = f"unknown classifier '{name}' ({nearest(name, CLASSIFIER_NAMES)})"
                raise ValueError(message)
        return tuple(dict.fromkeys(value))

    @field_validator("search", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _own_grids(self) -> Self:
        if self.grid is not None and len(self.classifier) > 1:
            for name, own in self.grid.items():
                if name not in self.classifier or not isinstance(own, dict):
                    message = (
                        f"grid: with several classifiers it holds a grid for each ({', '.join(self.classifier)}), "
                        f"got '{name}'"
                    )
                    raise ValueError(message)
        return self

    def grid_of(self, classifier: str) -> dict[str, Any] | None:
        """The grid of one classifier; ``None`` for its default."""
        return self.grid if self.grid is None or len(self.classifier) == 1 else self.grid.get(classifier)


class Harmonise(Block):
    """ComBat, fitted on training patients and applied to the others.

    Attributes:
        batch: column that names the batch; ``centre`` is the study's centre.
        covariates: columns whose effect is kept. Never the outcome.
        prior: of the empirical Bayes estimate; ``none`` takes each feature by itself.
        mean_only: correct means and leave spreads.
        reference: batch to which the others are drawn.
        unseen: a batch that no training patient has: ``refuse``, leave it uncorrected as ``reference``, or estimate it
            from its own unlabelled patients (``transductive``).
        minimum_rows: patients that such an estimate needs.
    """

    batch: str = "centre"
    covariates: tuple[str, ...] = ()
    prior: Literal["parametric", "nonparametric", "none"] = "parametric"
    mean_only: bool = False
    reference: str | None = None
    unseen: Literal["refuse", "reference", "transductive"] = "refuse"
    minimum_rows: int = Field(default=10, ge=2)


class Controls(Block):
    """What a model must beat: shuffled outcomes, and a few simple models.

    Attributes:
        permutations: fits of the primary model on shuffled outcomes, its hyper-parameters as tuned; 0 for none.
        volume: the volume alone; ``true`` finds its column, or name it.
        site: the centre alone.
        clinical: the clinical columns alone.
    """

    permutations: int = Field(default=20, ge=0)
    volume: bool | str = True
    site: bool = True
    clinical: bool = True
