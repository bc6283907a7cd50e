"""AutoRegularizedCV against GridSearchCV, and against loops of clone, fit and score."""

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from genestimators import AutoRegularizedCV


def plain(estimator, param, values, **settings):
    """A search that does what GridSearchCV does: the best score, no repeats."""
    settings = {"n_repeats": 1, "rule": "best", **settings}
    return AutoRegularizedCV(estimator, param=param, values=values, **settings)


def assert_equals_grid(
    estimator,
    param,
    values,
    X,
    y,
    *,
    fit=None,
    cv=5,
    scoring=None,
    train=True,
    rtol=1e-9,
    atol=1e-10,
    **settings,
):
    """The table and the choice are those of GridSearchCV; returns both searches.

    Parameters
    ----------
    estimator, param, values, X, y, cv, scoring
        As GridSearchCV takes them; the best value must have no ties.
    fit : dict, default=None
        Further arguments of both `fit`.
    train : bool, default=True
        Whether training scores are compared: some learners are scored out of bag.
    rtol, atol : float
        For scores; the default is for paths that equal refits up to rounding.
    **settings : dict
        Further parameters of AutoRegularizedCV.
    """
    fit = fit or {}
    grid = GridSearchCV(
        estimator, {param: values}, cv=cv, scoring=scoring, return_train_score=True
    ).fit(X, y, **fit)
    own = plain(estimator, param, values, cv=cv, scoring=scoring, **settings)
    own.fit(X, y, **fit)
    assert own.best_params_ == grid.best_params_
    assert own.best_index_ == grid.best_index_
    assert own.n_splits_ == grid.n_splits_
    np.testing.assert_allclose(own.best_score_, grid.best_score_, rtol=rtol, atol=atol)
    assert set(grid.cv_results_) <= set(own.cv_results_)
    for name, expected in grid.cv_results_.items():
        found = own.cv_results_[name]
        assert np.shape(found) == np.shape(expected)
        if name == "params" or name.startswith(("param_", "rank_")):
            assert list(found) == list(expected)
        elif name.endswith("_time"):
            assert (np.asarray(found) >= 0).all()
        elif train or "train" not in name:
            np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)
    return own, grid


def loop_scores(estimator, param, values, X, y, splits, scorer, weight=None):
    """Scores on the rows left out, (n_values, n_splits), one fit at a time."""
    table = []
    for value in values:
        row = []
        for train, test in splits:
            model = clone(estimator).set_params(**{param: value})
            if weight is None:
                model.fit(X[train], y[train])
                row.append(scorer(model, X[test], y[test]))
            else:
                model.fit(X[train], y[train], sample_weight=weight[train])
                row.append(scorer(model, X[test], y[test], sample_weight=weight[test]))
        table.append(row)
    return np.array(table)


def split_scores(search):
    """Scores by split of a fitted search, (n_values, n_splits)."""
    table = search.cv_results_
    return np.column_stack(
        [table[f"split{i}_test_score"] for i in range(search.n_splits_)]
    )
