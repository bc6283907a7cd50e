"""A bag at every value of a parameter of its estimator, from one fit a replicate.

Each replicate gives its own path (every pruning of one tree, say). Answers out of bag
are summed for each value, so that the error of the *bag* at that value is known, not
that of one member: averaging has removed variance before the penalty is chosen.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone, is_classifier

from genestimators import _inputs
from genestimators._parallel import Progress
from genestimators._params import check_parameters
from genestimators.bagging._aggregate import SUMMED
from genestimators.bagging._classifier import BootstrapBaggingClassifier
from genestimators.bagging._figures import outputs_of
from genestimators.bagging._regressor import BootstrapBaggingRegressor
from genestimators.bagging._stopping import PILOT, next_goal
from genestimators.bagging._tally import Tally
from genestimators.fitting import (
    FittedPath,
    Path,
    Response,
    read_over,
    working_precision,
)
from genestimators.fitting._nested import NestedFamily, register_nested
from genestimators.fitting._registry import Family
from genestimators.fitting._tuned import family_of
from genestimators.resampling import BayesianBootstrap, GroupBootstrap, GroupSubsample
from genestimators.resampling._resolve import resolve_resampler


class BagFamily(NestedFamily):
    """Bags over any parameter of their estimator."""

    def __init__(self, wrapper):
        self.wrapper = wrapper

    def inner(self, wrapper):
        return wrapper._get_estimator()

    def out_of_bag(self, wrapper):
        check_parameters(wrapper)
        resampler = resolve_resampler(wrapper.resampling, wrapper.max_samples)
        leaves_out = not isinstance(resampler, BayesianBootstrap)
        return leaves_out and wrapper.aggregate in SUMMED

    def draws_groups(self, wrapper):
        resampler = resolve_resampler(wrapper.resampling, wrapper.max_samples)
        return isinstance(resampler, (GroupBootstrap, GroupSubsample))

    def unsupported(self, wrapper, param, X, y, sample_weight, values):
        family = family_of(self.inner(wrapper), param)
        if family is None or not family.fits_paths or family.transforms:
            return "its estimator has no path over that parameter"
        if wrapper.aggregate not in SUMMED:
            return "medians and trimmed means need the answers of all members"
        if wrapper.warm_start:
            return "a bag that is grown has members already"
        if wrapper.early_stopping is not None:
            return "members that stop early are fitted value by value"
        return None

    def fit_path(self, wrapper, param, X, y, sample_weight, groups, values):
        return fit_bag_path(wrapper, param, X, y, sample_weight, groups, values)


class _BagOfPaths(Family):
    """What did the work, in reports: the members' family, behind a bag."""

    def __init__(self, inner):
        self.inner = inner
        self.exactness = "refit" if inner is None else inner.exactness
        if self.exactness == "bitwise":  # sums over members are rounded in any order
            self.exactness = "exact"


@dataclass(frozen=True, eq=False)
class _Member:
    """Reads off a replicate's answers for all rows, and its path."""

    response: Response

    def __call__(self, fit):
        path = fit.path
        if path.family is None and not isinstance(path, FittedPath):
            # Fits value by value would be made again for every question.
            path = FittedPath([path.model(i) for i in range(path.n_values)])
        parts = path.parts(_inputs.n_rows_of(fit.X))
        answers = [self.response(part, fit.given(fit.X)) for part in parts]
        return np.concatenate(answers), path


def fit_bag_path(wrapper, param, X, y, sample_weight, groups, values):
    """Fit a bag for all values of a parameter of its estimator.

    Parameters
    ----------
    wrapper : BootstrapBaggingClassifier or BootstrapBaggingRegressor
        Unfitted.
    param : str
        Of the estimator in it.
    X, y, sample_weight, groups
        As in its `fit`.
    values : sequence

    Returns
    -------
    BagPath
    """
    values = list(values)
    unfitted = clone(wrapper)  # the fit draws from a `random_state` that is a stream
    plan, _, _ = wrapper._plan_fit(X, y, sample_weight, groups, {}, False)
    settings = {"figures": True, "stopping": wrapper.n_estimators == "auto"}
    tallies = [
        Tally(plan["draws"], plan["y"], plan["response"], wrapper.aggregate, **settings)
        for _ in values
    ]
    auto = wrapper.n_estimators == "auto"
    limit = plan["draws"].limit
    if limit is not None and not auto and wrapper.n_estimators > limit:
        raise ValueError(
            f"`n_estimators` must not exceed the {limit} draws there are. "
            f"Got {wrapper.n_estimators!r}."
        )
    most = min(wrapper.max_estimators, np.inf if limit is None else limit)
    goal = min(PILOT, most) if auto else wrapper.n_estimators
    members, features = [], []
    progress = Progress(type(wrapper).__name__, "replicates", wrapper.verbose)
    fits = {
        name: value
        for name, value in plan.items()
        if name not in ("resampler", "response")
    }
    while True:
        stream = read_over(
            **fits,
            numbers=range(len(members), goal),
            reading=_Member(plan["response"]),
            param=param,
            values=values,
            classes=plan["response"].classes,
        )
        for _, draw, columns, (answers, path) in stream:
            for tally, answer in zip(tallies, answers, strict=True):
                tally.add(draw, answer)
            members.append(path)
            features.append(columns)
            progress.report(len(members), goal)
        if not auto:
            break
        best = tallies[_best(tallies, plan["draws"])]
        goal = next_goal(wrapper._needed(plan, best), len(members), most)
        if goal <= len(members):
            break
    return BagPath(unfitted, param, values, plan, tallies, members, features, groups)


def _best(tallies, draws):
    """The value of the least out-of-bag loss, in the limit of many members."""
    order = draws.row_order()
    weight = None if draws.row_weight is None else draws.row_weight[order]
    means = []
    for tally in tallies:
        loss = tally.rows.limit_loss()[order].mean(axis=1)
        known = ~np.isnan(loss)
        share = None if weight is None else weight[known]
        means.append(np.average(loss[known], weights=share) if known.any() else np.inf)
    return int(np.argmin(means))


class BagPath(Path):
    """Bags at all values of a parameter of their estimator.

    Parameters
    ----------
    wrapper : estimator
        The unfitted bag.
    param : str
    values : list
    plan : dict
        The plan of its fit.
    tallies : list of Tally
        One a value.
    members : list of Path
        One a replicate.
    features : list of ndarray or None
        Columns of each replicate.
    groups : ndarray or None
    """

    def __init__(
        self, wrapper, param, values, plan, tallies, members, features, groups
    ):
        self.wrapper = wrapper
        self.param = param
        self.values = values
        self.plan = plan
        self.tallies = tallies
        self.members = members
        self.features = features
        self.groups = groups
        self.n_values = len(values)
        self.n_fits = sum(map(_n_fits, members))
        families = [path.family for path in members]
        self.family = _BagOfPaths(next((one for one in families if one), None))

    @property
    def response(self):
        return self.plan["response"]

    @property
    def classes_(self):
        classes = self.response.classes
        return classes[0] if len(classes) == 1 else list(classes)

    def training(self):
        left_out = self.tallies[0].rows.times.any()
        return _OutOfBagView(self) if left_out else self

    def answers(self, X):
        """Aggregated answers of every value, (n_values, n_rows, width)."""
        if X is self.plan["X"]:
            return np.stack([tally.answers()[1] for tally in self.tallies])
        total = 0.0
        rows = working_precision(self.wrapper._get_estimator(), X)
        for path, columns in zip(self.members, self.features, strict=True):
            own = rows if columns is None else _inputs.take_columns(rows, columns)
            parts = path.parts(_inputs.n_rows_of(X))
            total = total + np.concatenate([self.response(part, own) for part in parts])
        return total / len(self.members)

    def outputs(self, answers):
        """Answers in the forms that the bag's methods return, one for each value."""
        return [
            outputs_of(
                answer, self.response, self.wrapper.aggregate, flat_y=self._flat_y
            )
            for answer in answers
        ]

    @property
    def _flat_y(self):
        return self.plan["y"].ndim == 1

    def predict(self, X):
        return np.stack([one.predict for one in self.outputs(self.answers(X))])

    def predict_proba(self, X):
        return _stacked([one.predict_proba for one in self.outputs(self.answers(X))])

    def decision_function(self, X):
        outputs = self.outputs(self.answers(X))
        return np.stack([one.decision_function for one in outputs])

    def model(self, i):
        models = [path.model(i) for path in self.members]
        if any(model is None for model in models):
            return None
        name = f"estimator__{self.param}"
        bag = clone(self.wrapper)
        bag.set_params(estimator=clone(self.wrapper._get_estimator()))
        bag.set_params(**{name: self.values[i]})
        plan = self.plan
        own, seed, measure = bag._plan_fit(
            plan["X"], plan["y"], plan["draws"].row_weight, self.groups, {}, False
        )
        bag._store(own, seed, models, self.features, self.tallies[i], measure)
        if is_classifier(bag):
            bag._warn_one_class()
        return bag


def _n_fits(path):
    """How many fits a member took; one constant may stand for all values."""
    if path.family is not None:
        return path.n_fits
    return len({id(model) for model in path.models})


class _OutOfBagView(Path):
    """Answers each training row by the members that left it out."""

    def __init__(self, path):
        self.path = path
        self.n_values = path.n_values
        self.family = path.family
        self.covered = path.tallies[0].rows.times > 0
        self._known = None

    @property
    def classes_(self):
        return self.path.classes_

    def _outputs(self):
        if self._known is None:
            answers = [tally.answers()[0] for tally in self.path.tallies]
            filled = [np.where(np.isnan(answer), 0.0, answer) for answer in answers]
            self._known = self.path.outputs(filled)
        return self._known

    def row_losses(self, kind):
        """Losses of a bag of all members, where only some left a row out.

        Squared and Brier loss of a mean fall with the number of members like its
        variance, so they are told for the whole bag: unbiased, as the candidates'
        variances differ.
        """
        wrapper, response = self.path.wrapper, self.path.response
        fits = {"squared": "predict", "brier": "probability"}
        if wrapper.aggregate != "mean" or response.kind != fits[kind]:
            return None
        return np.stack([self._whole_bag_loss(tally) for tally in self.path.tallies])

    def _whole_bag_loss(self, tally):
        sums = tally.rows
        limit = sums.limit_loss()
        whole = limit + (sums.member_loss() - limit) / len(self.path.members)
        return np.where(np.isnan(whole), sums.mean_loss(), whole)

    def predict(self, X):
        return np.stack([one.predict for one in self._outputs()])

    def predict_proba(self, X):
        return _stacked([one.predict_proba for one in self._outputs()])

    def decision_function(self, X):
        return np.stack([one.decision_function for one in self._outputs()])


def _stacked(parts):
    """Probabilities of each value along a first axis; a list for several outputs."""
    if isinstance(parts[0], list):
        return [np.stack(output) for output in zip(*parts, strict=True)]
    return np.stack(parts)


for _wrapper in (BootstrapBaggingClassifier, BootstrapBaggingRegressor):
    register_nested(BagFamily(_wrapper))
