"""What a search needs before it starts: data, draws, measure, estimator."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.utils.validation import has_fit_parameter, validate_data

from genestimators import _inputs
from genestimators._delegate import random_state_parameters, tags_of
from genestimators._routing import nested_estimators
from genestimators._weights import fit_weighted
from genestimators.fitting import read_over
from genestimators.fitting._nested import nested_family
from genestimators.fitting._tuned import (
    in_an_ensemble,
    nested_path_family,
    offers_out_of_bag,
    serving_family,
)
from genestimators.regularization._measure import resolve_scoring
from genestimators.regularization._splits import make_splits, one_draw
from genestimators.resampling._hashing import derive_seed


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything about a search but the candidates.

    Attributes
    ----------
    estimator : estimator
    X : container of n rows
    y : ndarray
    draws : Draws
    n_first : int
        Splits of the first repeat.
    measure : CandidateMeasure
    weight : ndarray of shape (n,) or None
    groups : ndarray of shape (n,) or None
    classes : tuple of ndarray
    fit_params : dict
    per_row : tuple of str
    n_jobs : int or None
    owner : str
    out_of_bag : bool
    race : bool
        Whether candidates that are clearly beaten are given up.
    families : bool
        Whether families may do the work.
    """

    estimator: object
    X: object
    y: np.ndarray
    draws: object
    n_first: int
    measure: object
    weight: np.ndarray | None
    groups: np.ndarray | None
    classes: tuple
    fit_params: dict
    per_row: tuple
    n_jobs: int | None
    owner: str
    out_of_bag: bool = False
    race: bool = False
    families: bool = True

    def refit(self, settings):
        """The estimator with some parameters, fitted on all rows."""
        model = clone(self.estimator).set_params(**settings)
        params = dict(self.fit_params)
        if self.groups is not None and has_fit_parameter(self.estimator, "groups"):
            params.setdefault("groups", self.groups)  # a bag may draw them
        if self.weight is None:
            return model.fit(self.X, self.y, **params)
        rows = np.flatnonzero(self.weight)
        per_row = _inputs.per_row_names(params, len(self.y))
        return fit_weighted(
            model,
            self.X,
            self.y,
            rows,
            self.weight[rows],
            params=params,
            per_row=per_row,
        )

    def read(self, reading, param, values, numbers):
        """Stream what a reading reads off the draws."""
        for number, draw, _, result in read_over(
            self.estimator,
            self.X,
            self.y,
            self.draws,
            numbers,
            reading=reading,
            param=param,
            values=values,
            families=self.families,
            classes=self.classes,
            fit_params=self.fit_params,
            per_row=self.per_row,
            groups=self.groups,
            n_jobs=self.n_jobs,
            owner=self.owner,
            noun="draw" if self.out_of_bag else "fold",
        ):
            yield number, draw, result


def check_data(wrapper, X, y, sample_weight, groups):
    """X, y, weights and groups, checked; the features are noted on the wrapper."""
    name = type(wrapper).__name__
    for stale in ("n_features_in_", "feature_names_in_"):
        vars(wrapper).pop(stale, None)
    X = _inputs.as_container(X)
    if y is None:  # worded by scikit-learn
        validate_data(wrapper, X, y=None, skip_check_array=True)
    n_rows = _inputs.check_n_rows(X, minimum=2, name=name)
    validate_data(wrapper, X, skip_check_array=True)
    y = _inputs.check_y(y, n_rows, classifier=is_classifier(wrapper.estimator))
    weight = _inputs.check_sample_weight(sample_weight, n_rows)
    if weight is not None and np.count_nonzero(weight) < 2:
        raise ValueError(
            f"{name} needs at least 2 rows of positive weight for folds. Got "
            "n_samples = 1 with a weight above zero."
        )
    if groups is not None:
        groups = _inputs.check_groups(groups, n_rows)
    return X, y, weight, groups


def check_estimator(estimator):
    tags = tags_of(estimator)
    if tags is not None and tags.input_tags.pairwise:
        raise ValueError(
            "AutoRegularizedCV takes rows and cannot take the columns of a precomputed "
            f"kernel or distance matrix with them. Got {estimator!r}; let the "
            "estimator compute its kernel."
        )


def seeded(estimator, seed):
    """A clone whose `random_state`s that are None are integers.

    Candidates then share their random choices, and a fit can be repeated.
    """
    estimator = filled(clone(estimator))
    known = estimator.get_params(deep=True)
    missing = [
        name for name in random_state_parameters(estimator) if known[name] is None
    ]
    if missing:
        estimator.set_params(**{name: derive_seed(seed, name) for name in missing})
    return estimator


def filled(estimator):
    """An estimator whose wrappers hold what they wrap where that is left to them.

    Else a nested parameter would have no name. It is changed in place.
    """
    for one in [estimator, *nested_estimators(estimator)]:
        wrapper = nested_family(one)
        if wrapper is not None and getattr(one, wrapper.param) is None:
            one.set_params(**{wrapper.param: clone(wrapper.inner(one))})
    return estimator


def with_settings(estimator, candidates):
    """The settings that the family of the parameter wants in every fit."""
    family = candidates.family
    if family is None or not family.settings:
        return estimator
    prefix = candidates.param[: -len(family.param)]
    known = estimator.get_params(deep=True)
    settings = {f"{prefix}{name}": value for name, value in family.settings.items()}
    changed = {
        name: value
        for name, value in settings.items()
        if name in known and known[name] != value
    }
    return estimator.set_params(**changed)


def make_plan(wrapper, estimator, candidates, data, fit_params, seed):
    """What the search of an AutoRegularizedCV needs.

    Parameters
    ----------
    wrapper : AutoRegularizedCV
        Its parameters are read.
    estimator : estimator
    candidates : Candidates
    data : tuple
        X, y, weights and groups, checked.
    fit_params : dict
    seed : int

    Returns
    -------
    plan : Plan
    splits : Splits
    scorer : callable
    """
    X, y, weight, groups = data
    classifier = is_classifier(estimator)
    rows = np.arange(len(y)) if weight is None else np.flatnonzero(weight)
    classes = ()
    if classifier:
        columns = y[rows].reshape(len(rows), -1).T
        classes = tuple(np.unique(column) for column in columns)
    measure, scorer = resolve_scoring(
        wrapper.scoring, estimator, X, y, classes, rows, candidates.param
    )
    families = wrapper.engine != "generic" and measure.kind != "model"
    possible = families and not fit_params
    told = (estimator, candidates.param, X, y, weight, candidates.as_list())
    grouped = groups is not None
    out_of_bag = _out_of_bag(wrapper, told, possible=possible, grouped=grouped)
    family = candidates.family if out_of_bag else None
    if groups is not None and has_fit_parameter(estimator, "groups"):
        # A path passes them on by itself.
        if not families or nested_path_family(*told) is None:
            fit_params = {**fit_params, "groups": groups}
    if out_of_bag:
        splits = one_draw(X, y, weight)
    else:
        family = serving_family(*told, candidates.before) if possible else None
        alone = not in_an_ensemble(estimator, candidates.param)
        repeats = _repeats(wrapper, family, alone=alone)
        splits = make_splits(
            wrapper.cv, repeats, X, y, weight, groups, seed, classifier=classifier
        )
    plan = Plan(
        estimator=estimator,
        X=X,
        y=y,
        draws=splits.draws,
        n_first=splits.n_first,
        measure=measure,
        weight=weight,
        groups=groups,
        classes=classes,
        fit_params=fit_params,
        per_row=_inputs.per_row_names(fit_params, len(y)),
        n_jobs=wrapper.n_jobs,
        owner=type(wrapper).__name__,
        out_of_bag=out_of_bag,
        race=wrapper.engine == "auto" and family is None,
        families=families,
    )
    return plan, splits, scorer


def _draws_groups(estimator):
    """Whether members of an estimator leave out the rows of a group together."""
    family = nested_family(estimator)
    return family is not None and family.draws_groups(estimator)


def _out_of_bag(wrapper, told, *, possible, grouped):
    """Whether candidates are scored out of bag rather than on folds.

    Parameters
    ----------
    told : tuple
        Arguments of `offers_out_of_bag`.
    possible : bool
        Whether families may do the work.
    grouped : bool
        Whether there are groups, of which members must leave out all rows or none.
    """
    if wrapper.cv is not None and not isinstance(wrapper.cv, str):
        return False
    possible = possible and offers_out_of_bag(*told)
    if isinstance(wrapper.cv, str) and not possible:
        raise ValueError(
            'cv="out_of_bag" needs a bag or a forest (that bootstraps, by itself '
            "and not in a pipeline, whose members have a path over the parameter), a "
            "scorer of predictions and no further arguments of `fit`. Got "
            f"{wrapper.estimator!r} with param={told[1]!r}; use folds."
        )
    if possible and grouped and not _draws_groups(told[0]):
        if wrapper.cv is None:
            return False
        raise ValueError(
            'cv="out_of_bag" with `groups` needs a bag that draws whole groups; else '
            "members that have seen its group answer for a row. Got "
            f'{wrapper.estimator!r}; use folds, or a bag with resampling="group".'
        )
    if possible and wrapper.n_repeats not in ("auto", 1):
        raise ValueError(
            "`n_repeats` repeats folds, and a bag or a forest is scored out of bag "
            f"where `cv` is left open. Got n_repeats={wrapper.n_repeats!r}; set `cv` "
            "to a number of folds, or leave n_repeats out."
        )
    return possible


def _repeats(wrapper, family, *, alone):
    """How often folds are repeated.

    Parameters
    ----------
    family : Family or None
        Which serves.
    alone : bool
        Whether it is not that of the members of an ensemble, which take one fit each.
    """
    counted = wrapper.cv is None or isinstance(wrapper.cv, (int, np.integer))
    if wrapper.n_repeats != "auto":
        if not counted and wrapper.n_repeats != 1:
            raise ValueError(
                "`n_repeats` repeats a number of folds; a splitter or an iterable "
                f"says itself how often. Got n_repeats={wrapper.n_repeats!r} with "
                f"cv={wrapper.cv!r}; set n_repeats=1."
            )
        return wrapper.n_repeats
    return family.n_repeats if counted and alone and family is not None else 1
