"""Deep features of training rows that do not cheat, and the published ones that do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from glottis._errors import SettingsError, nearest
from glottis.deep.folds import groups_of, splits
from glottis.deep.loop import Progress
from glottis.deep.network import chosen_device, repeatable, start_of
from glottis.deep.training import NetworkClassifier, classes_of, outputs, silent

if TYPE_CHECKING:
    from torch import nn

Mode = Literal["frozen", "oof_score", "oof_features", "in_sample"]
Floats = NDArray[np.float64]
FitRow = tuple[str, int | Literal["final"], tuple[int, ...]]
NOTES: dict[Mode, str] = {
    "frozen": "",
    "oof_score": "",
    "oof_features": (
        "Feature k of one fold's network is not feature k of another's: a model fitted on these columns mixes them, "
        "and new patients get those of one more network. Prefer oof_score or frozen."
    ),
    "in_sample": (
        "The network was trained on the very patients whose features these are: a model fitted on them looks better "
        "than it is, and so does its cross-validation."
    ),
}


class DeepFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Columns for a table of features, made from images.

    ``fit_transform(X, y, groups)`` gives the rows of training patients, ``transform`` those of any other; for the
    out-of-fold modes they come from different networks.

    Args:
        network: what is trained; its clones are. ``"frozen"`` uses its backbone alone, as it is.
        mode: ``"frozen"``: pooled features of the untouched backbone. ``"oof_score"``: one column, the probability of
            the higher class by a network that never saw the patient; for others by a network trained on all.
            ``"oof_features"``: the pooled features of these networks. ``"in_sample"``: those of a network trained on
            the same rows, as published; optimistic.
        folds: of the out-of-fold modes.
        n_components: principal components of the training rows instead of the features; None leaves them.
        random_state: seed of the folds.

    Attributes:
        network_: fitted on all training rows; None when frozen.
        backbone_: whose features new rows get.
        pca_: fitted on the training rows' columns; None without.
        layer_: where the features leave the backbone.
        width_: features an image before any principal components.
        names_: of the columns.
        fold_: (n,) the fold whose network never saw the row; None for modes without folds.
        optimistic_: whether the training rows' columns know the outcome of the same rows.
        note_: what the reader of a report must know.
        fit_log_: step, fold or ``"final"``, and places of the rows that were passed, one a fit.
    """

    network_: NetworkClassifier | None
    backbone_: nn.Module
    pca_: PCA | None
    layer_: str
    width_: int
    names_: list[str]
    fold_: NDArray[np.intp] | None
    optimistic_: bool
    note_: str
    fit_log_: tuple[FitRow, ...]

    def __init__(
        self,
        network: NetworkClassifier,
        *,
        mode: Mode = "frozen",
        folds: int = 5,
        n_components: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.network = network
        self.mode = mode
        self.folds = folds
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, *, progress: Progress = silent) -> Self:
        """Learn what new rows need, and the training rows' columns with it (see :meth:`fit_transform`)."""
        self.fit_transform(X, y, groups, progress=progress)
        return self

    def fit_transform(
        self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, *, progress: Progress = silent
    ) -> Floats:
        """The columns of training rows.

        Args:
            X: (n, channels, height, width) scaled intensities.
            y: (n,) two classes.
            groups: (n,) patients, each kept in one fold; None: every image its own.
            progress: see `NetworkClassifier.fit`; the stage names the fold.

        Returns:
            (n, columns).

        Raises:
            SettingsError: a mode that is not known, components of a score or more than there are.
            CohortError: not two classes, or folds without both.
        """
        self._check()
        images = np.asarray(X, dtype=np.float32)
        _, codes = classes_of(y, len(images))
        known = groups_of(groups, len(images))
        base = self.network
        with repeatable(base.random_state, base.threads, chosen_device(base.device)):
            start = start_of(base.backbone)
        pooled = f"pooled output behind '{start.last_conv}'"
        self.layer_, self.width_ = getattr(start.spec, "layer", pooled), start.spec.width
        self.note_, self.optimistic_, self.fold_ = NOTES[self.mode], self.mode == "in_sample", None
        fits = _Fits(images, codes, known, base, progress)
        columns = self._out_of_fold(fits) if self.mode.startswith("oof") else None
        self.network_, self.backbone_ = None, start.module
        if self.mode != "frozen":
            self.network_ = fits.fit(np.arange(codes.size), "final")
            self.backbone_ = self.network_.network_.get_submodule("backbone")
        columns = self._reduced(self._columns(self.network_, images) if columns is None else columns, fits.log)
        self.fit_log_ = tuple(fits.log)
        return columns

    def transform(self, X: ArrayLike) -> Floats:
        """(n, columns) of rows that are not training rows."""
        check_is_fitted(self, "names_")
        columns = self._columns(self.network_, X)
        return columns if self.pca_ is None else np.asarray(self.pca_.transform(columns))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """Names of the columns; a picture has none that could be given."""
        check_is_fitted(self, "names_")
        return np.asarray(self.names_, dtype=object)

    def _columns(self, network: NetworkClassifier | None, X: ArrayLike) -> Floats:
        if self.mode == "oof_score" and network is not None:
            return network.predict_proba(X)[:, 1:]
        return outputs(self.backbone_, X, self.network) if network is None else network.embed(X)

    def _out_of_fold(self, fits: _Fits) -> Floats:
        n = fits.codes.size
        columns = np.zeros((n, 1 if self.mode == "oof_score" else self.width_))
        self.fold_ = np.full(n, -1)
        for fold, (train, test) in enumerate(splits(fits.codes, fits.groups, self.folds, self.random_state)):
            columns[test] = self._columns(fits.fit(train, fold), fits.images[test])
            self.fold_[test] = fold
        return columns

    def _reduced(self, columns: Floats, log: list[FitRow]) -> Floats:
        """The columns or their principal components; their names."""
        self.pca_ = None
        self.names_ = ["deep_score"] if self.mode == "oof_score" else numbered("deep_", columns.shape[1])
        if self.n_components is None:
            return columns
        most = min(columns.shape)
        if not 1 <= self.n_components <= most:
            message = f"n_components={self.n_components} is out of range: give from 1 to {most}, or None."
            raise SettingsError(message)
        self.pca_ = PCA(self.n_components, svd_solver="full").fit(columns)
        self.names_ = numbered("deep_pc_", self.n_components)
        log.append(("pca", "final", tuple(range(columns.shape[0]))))
        return np.asarray(self.pca_.transform(columns))

    def _check(self) -> None:
        if self.mode not in get_args(Mode):
            message = f"mode='{self.mode}' is not known: {nearest(str(self.mode), get_args(Mode))}."
            raise SettingsError(message)
        if self.mode == "oof_score" and self.n_components is not None:
            message = f"n_components={self.n_components} with one score: leave it out, or use another mode."
            raise SettingsError(message)


@dataclass(frozen=True, eq=False)
class _Fits:
    """Networks fitted on some of the training rows, and the log of it."""

    images: NDArray[np.float32]
    codes: NDArray[np.intp]
    groups: NDArray[Any]
    network: NetworkClassifier
    progress: Progress
    log: list[FitRow] = field(default_factory=list)

    def fit(self, rows: NDArray[np.intp], fold: int | Literal["final"]) -> NetworkClassifier:
        where = "final network" if fold == "final" else f"network of fold {fold + 1}"

        def told(stage: str, done: int, total: int, text: str) -> None:
            self.progress(f"{stage} the {where}", done, total, text)

        network: NetworkClassifier = clone(self.network)
        network.fit(self.images[rows], self.codes[rows], self.groups[rows], progress=told)
        self.log.append(("network", fold, tuple(rows.tolist())))
        return network


def numbered(prefix: str, n: int) -> list[str]:
    """Names with four digits.

    >>> numbered("deep_", 2)
    ['deep_0000', 'deep_0001']
    """
    return [f"{prefix}{number:04d}" for number in range(n)]
