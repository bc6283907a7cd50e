"""What averaging takes away of the loss, read off a fitted bag or forest for free."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from genestimators import _inputs
from genestimators._exceptions import OutOfBagWarning, warn_user
from genestimators._params import Options, check_arguments
from genestimators._results import Result, html_table
from genestimators.bagging._base import BaseBootstrapBagging
from genestimators.bagging._out_of_bag import OutOfBagSums
from genestimators.diagnostics._estimates_display import (
    NORMAL,
    EstimatesDisplay,
    around,
)
from genestimators.diagnostics.decomposition._losses import NAMES
from genestimators.fitting import Response

LOSSES = ("squared_error", "brier", "zero_one")
_LEAST = 2  # members that have not seen a row, for the row to count
_CHANCE = 1e-6  # that so many rows at the end are in no sample
_FEW = 25  # members, with fewer of which the split is poor


@dataclass(frozen=True, eq=False)
class EnsembleDecomposition(Result):
    """The loss of a member of an ensemble: what averaging takes away, and the rest.

    Members are fitted on samples of the same data. What they differ by is variance
    given these data: less than the variance of the learner from one data set to the
    next, which `bias_variance_decomposition` finds, but exactly what more members take
    away.

    Attributes
    ----------
    loss : {"squared_error", "brier", "zero_one"}
    member_loss : float
        Mean loss of a single member on rows it has not seen.
    removable : float
        What infinitely many members have less.
    not_removable : float
        What infinitely many members keep: the rest.
    removable_share : float
        Of the loss of a member.
    std_errors : dict
        Of the four figures, over rows.
    n_members : int
    n_rows : int
        Rows that at least two members had not seen; the others tell nothing.
    sample_removable, sample_not_removable : ndarray of shape (n,)
        The parts of each row, NaN where it was left aside.
    """

    loss: str
    member_loss: float
    removable: float
    not_removable: float
    removable_share: float
    std_errors: dict
    n_members: int
    n_rows: int
    sample_removable: np.ndarray
    sample_not_removable: np.ndarray

    def __str__(self):
        lines = [self._headline()]
        for name, value, error, remark in self._rows():
            lines.append(f"  {name:<26} {value: .4g} +- {error:.2g}{remark}")
        return "\n".join(lines)

    def _repr_html_(self):
        rows = (
            (name, f"{value:.4g}", f"{error:.2g}", remark.strip(" ,"))
            for name, value, error, remark in self._rows()
        )
        return html_table(self._headline(), ("part", "loss", "std. error", ""), rows)

    def plot(self, *, ax=None):
        """Draw the loss of a member and its parts, with 1.96 standard errors.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        display : EstimatesDisplay
        """
        names, estimates, errors, remarks = zip(*self._rows(), strict=True)
        return EstimatesDisplay(
            names=names,
            estimates=estimates,
            intervals=[around(*one) for one in zip(estimates, errors, strict=True)],
            notes=[remark.strip(" ,") for remark in remarks],
            x_name=(
                f"{NAMES[self.loss]} (± {NORMAL} standard errors)\n"
                f"one of {self.n_members} members, on {self.n_rows} rows not seen"
            ),
            references={"_zero": 0.0},
        ).plot(ax=ax)

    def _headline(self):
        return (
            f"{NAMES[self.loss].capitalize()} of one of {self.n_members} members on "
            f"{self.n_rows} rows it has not seen:"
        )

    def _rows(self):
        share = f", {100 * self.removable_share:.0f} % of it"
        names = ("member_loss", "removable", "not_removable")
        titles = ("total", "removable by averaging", "not removable by averaging")
        for name, title in zip(names, titles, strict=True):
            remark = share if name == "removable" else ""
            yield title, getattr(self, name), self.std_errors[name], remark


def ensemble_decomposition(
    ensemble, X, y, *, loss="auto", sample_weight=None, groups=None
):
    """Split the loss of the members of a fitted ensemble, without any further fit.

    Parameters
    ----------
    ensemble : fitted bag or forest
        With `estimators_` and `estimators_samples_`: a bag of this library,
        scikit-learn's bagging, or its forests with ``bootstrap=True``.
    X, y : the data it was fitted on
        The same rows in the same order, since it only knows their positions.
    loss : {"auto", "squared_error", "brier", "zero_one"}, default="auto"
        "auto" is squared error for regressors, the Brier score where members have
        probabilities, else the 0-1 loss of labels (in the sense of Kohavi and Wolpert:
        that of a label drawn as often as members predict it). Several outputs are
        averaged.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights in the means over rows.
    groups : array-like of shape (n_samples,), default=None
        Rows that belong together, for standard errors.

    Returns
    -------
    decomposition : EnsembleDecomposition

    Raises
    ------
    TypeError
        If it is no ensemble of models whose samples are known.
    ValueError
        If the data are not those it was fitted on, or no row was left out twice.

    Warns
    -----
    OutOfBagWarning
        If rows were left out fewer than twice, or there are fewer than 25 members.

    See Also
    --------
    bias_variance_decomposition : The variance from one data set to the next.

    Notes
    -----
    With V_i the variance of the predictions of a row by the B_i members that have not
    seen it, (y_i - mean)^2 - V_i / B_i is unbiased for the loss of infinitely many
    members [1]_. Draws of this library are balanced in blocks of ten and so not
    independent: products of errors of members of different blocks take its place.

    References
    ----------
    .. [1] Valentini, G. & Dietterich, T. G. (2004). Bias-variance analysis of support
       vector machines for the development of SVM-based ensemble methods. Journal of
       Machine Learning Research 5, 725-775.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from genestimators import BootstrapBaggingRegressor, ensemble_decomposition
    >>> X, y = load_diabetes(return_X_y=True)
    >>> bag = BootstrapBaggingRegressor(n_estimators=50, random_state=0).fit(X, y)
    >>> found = ensemble_decomposition(bag, X, y)
    >>> bool(found.removable_share > 0.3)
    True
    """
    owner = "ensemble_decomposition"
    check_arguments(owner, {"loss": [Options("auto", *LOSSES)]}, loss=loss)
    _check_ensemble(ensemble)
    classifier = is_classifier(ensemble)
    own = isinstance(ensemble, BaseBootstrapBagging)
    X = _inputs.as_container(X)
    n_rows = _inputs.n_rows_of(X)
    if y is None:
        raise ValueError(
            f"{owner} compares predictions with a target, and y is None; pass y."
        )
    y = _inputs.check_y(y, n_rows, classifier=classifier)
    n_outputs = 1 if y.ndim == 1 else y.shape[1]
    if classifier:
        known = ensemble.classes_
        _check_outputs(n_outputs, len(known) if isinstance(known, list) else 1)
    weight = _inputs.check_sample_weight(sample_weight, n_rows)
    left_out = _left_out(ensemble, n_rows)
    classes, y = _coded(ensemble, y, own) if classifier else ((), y)
    response = _response(ensemble, loss, classes)
    target = _target(response, y)
    sums = OutOfBagSums(target, _outputs(response, target.shape[1]))
    for model, columns, rows in _members(ensemble, X, left_out, own):
        answer = np.empty((0, target.shape[1]))
        if len(rows):
            answer = response(model, _inputs.take_rows(columns, rows))
            if not classifier:
                _check_outputs(n_outputs, answer.shape[1])
        sums.add(rows, answer)  # also of none: members are counted in blocks
    return _result(ensemble, sums, response, weight, groups)


def _check_ensemble(ensemble):
    if isinstance(ensemble, type) or not hasattr(ensemble, "fit"):
        raise TypeError(f"`ensemble` must be a fitted bag or forest. Got {ensemble!r}.")
    check_is_fitted(ensemble)
    if getattr(ensemble, "engine_", None) == "limit":
        raise TypeError(
            "A bag of infinitely many members has none to compare; its `bagging_gain_` "
            "is what averaging takes away. Set `n_estimators` to a number."
        )
    missing = [
        name
        for name in ("estimators_", "estimators_samples_")
        if not hasattr(ensemble, name)
    ]
    if missing or not getattr(ensemble, "bootstrap", True):
        raise TypeError(
            "`ensemble` must be a bag or a forest that knows its members and the rows "
            f"each was fitted on. Got {ensemble!r}; fit a bag, or a forest with "
            "bootstrap=True."
        )


def _check_outputs(n_outputs, known):
    if n_outputs != known:
        raise ValueError(
            "y must be the target that the ensemble was fitted on. Got "
            f"{n_outputs} columns, and it was fitted on {known}."
        )


def _left_out(ensemble, n_rows):
    """The rows that each member has not seen."""
    draws = getattr(ensemble, "_draws", None)
    if draws is not None:
        known = draws.n_rows
    else:
        known = 1 + max(int(np.max(rows)) for rows in ensemble.estimators_samples_)
    other = known != n_rows
    if draws is None and known < n_rows:
        # The last rows may be in no sample by chance, which a few members rule out.
        drawn = sum(len(rows) for rows in ensemble.estimators_samples_)
        chance = -drawn / n_rows * (n_rows - known)
        other = chance < np.log(_CHANCE)
    if other:
        raise ValueError(
            "X must hold the rows that the ensemble was fitted on, in their order. Got "
            f"{n_rows} rows, and it was fitted on {known}."
        )
    if draws is not None:
        return [draws[b].out_of_bag for b in range(len(ensemble.estimators_))]
    left = []
    for rows in ensemble.estimators_samples_:
        out = np.ones(n_rows, dtype=bool)
        out[rows] = False
        left.append(np.flatnonzero(out))
    return left


def _coded(ensemble, y, own):
    """The classes that members know, and the target in their terms."""
    outputs = y if y.ndim == 2 else y[:, None]
    known = ensemble.classes_
    known = [known] if outputs.shape[1] == 1 else list(known)
    codes = []
    for labels, column in zip(known, outputs.T, strict=True):
        place = np.minimum(np.searchsorted(labels, column), len(labels) - 1)
        if (labels[place] != column).any():
            raise ValueError(
                "y must hold the classes that the ensemble was fitted on, "
                f"{labels.tolist()!r}. Got {np.setdiff1d(column, labels).tolist()!r}."
            )
        codes.append(place)
    if own:
        return tuple(known), y
    # Members of scikit-learn's ensembles know classes by their numbers.
    y = np.stack(codes, axis=1)
    return tuple(np.arange(len(labels)) for labels in known), y


def _response(ensemble, loss, classes):
    """What members are asked for."""
    if not classes:
        if loss not in ("auto", "squared_error"):
            raise ValueError(f"loss={loss!r} is one of classifiers. Got {ensemble!r}.")
        return Response("predict")
    if loss == "squared_error":
        raise ValueError(f"loss={loss!r} is one of regressors. Got {ensemble!r}.")
    proba = hasattr(ensemble.estimators_[0], "predict_proba")
    if loss == "brier" and not proba:
        raise ValueError(
            'loss="brier" needs members with probabilities. Got '
            f'{ensemble.estimators_[0]!r}; set loss="zero_one".'
        )
    probability = proba and loss != "zero_one"
    return Response("probability" if probability else "vote", classes)


def _target(response, y):
    if response.kind == "predict":
        return y.reshape(len(y), -1).astype(np.float64)
    return response.one_hot(y)


def _members(ensemble, X, left_out, own):
    """Each member, the columns of X it was fitted on, and the rows it has not seen."""
    if not own:  # its members were fitted on arrays
        X = check_array(X, accept_sparse="csr", dtype=None, ensure_all_finite=False)
    columns = getattr(ensemble, "estimators_features_", None)
    n_columns = getattr(ensemble, "n_features_in_", None)
    every = None if n_columns is None else np.arange(n_columns)
    for b, (model, rows) in enumerate(zip(ensemble.estimators_, left_out, strict=True)):
        part = X
        if columns is not None and every is not None:
            chosen = np.asarray(columns[b])
            if not np.array_equal(chosen, every):
                part = _inputs.take_columns(X, chosen)
        yield model, part, rows


def _result(ensemble, sums, response, weight, groups):
    n = len(sums.times)
    weight = np.ones(n) if weight is None else weight
    used = sums.correctable() & (weight > 0)
    n_members = len(ensemble.estimators_)
    if not used.any():
        raise ValueError(
            "No row was left out by two members, so nothing is known of what they "
            f"differ by. Got {n_members} members; fit more of them, or set a smaller "
            "`max_samples`."
        )
    _warn_few(used, weight, n_members)
    scale = _scales(response, sums.n_outputs) / sums.n_outputs
    member, limit = sums.member_loss() @ scale, sums.limit_loss() @ scale
    figures = np.stack([member, member - limit, limit])[:, used]
    share = weight[used] / weight[used].sum()
    mean = figures @ share
    influence = share * (figures - mean[:, None])
    ratio = mean[1] / mean[0] if mean[0] > 0 else np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        of_ratio = (influence[1] - ratio * influence[0]) / mean[0]
    influence = np.vstack([influence, of_ratio])
    if groups is not None:
        groups = _inputs.check_groups(groups, n)[used]
        codes = np.unique(groups, return_inverse=True)[1]
        influence = np.stack([np.bincount(codes, weights=one) for one in influence])
    m = influence.shape[1]
    error = (
        np.sqrt((influence**2).sum(axis=1) * m / (m - 1))
        if m > 1
        else np.full(4, np.nan)
    )
    names = ("member_loss", "removable", "not_removable", "removable_share")
    parts = np.full((2, n), np.nan)
    parts[:, used] = figures[1:]
    return EnsembleDecomposition(
        loss={"predict": "squared_error", "probability": "brier"}.get(
            response.kind, "zero_one"
        ),
        member_loss=float(mean[0]),
        removable=float(mean[1]),
        not_removable=float(mean[2]),
        removable_share=float(ratio),
        std_errors={k: float(v) for k, v in zip(names, error, strict=True)},
        n_members=n_members,
        n_rows=int(used.sum()),
        sample_removable=parts[0],
        sample_not_removable=parts[1],
    )


def _outputs(response, width):
    """The output that each column of the answers belongs to."""
    if response.kind == "predict":
        return np.arange(width)
    sizes = [len(labels) for labels in response.classes]
    return np.repeat(np.arange(len(sizes)), sizes)


def _scales(response, n_outputs):
    """From squared errors summed over the columns of an output to its loss."""
    if response.kind == "predict":
        return np.ones(n_outputs)
    if response.kind == "vote":  # two indicators differ where labels do
        return np.full(n_outputs, 0.5)
    return np.array([0.5 if len(one) == 2 else 1.0 for one in response.classes])


def _warn_few(used, weight, n_members):
    share = weight[used].sum() / weight.sum()
    if share < 0.9:
        warn_user(
            f"Rows with {1 - share:.0%} of the weight were not left out by two members "
            f"and are left aside. Got {n_members} members; fit more of them.",
            OutOfBagWarning,
        )
    elif n_members < _FEW:
        warn_user(
            f"What members differ by is known poorly with fewer than {_FEW} of them. "
            f"Got {n_members}; fit more.",
            OutOfBagWarning,
        )
