"""Parameters that are fitted value by value: direction and range."""

import pickle

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.datasets import make_regression
from sklearn.linear_model import LassoLars, MultiTaskElasticNet, MultiTaskLasso

from genestimators.fitting import find_family, registered_families
from genestimators.fitting.families._directions import Direction

SINGLY = [
    family
    for family in registered_families()
    if isinstance(family, Direction) and "ensemble" not in family.estimator.__module__
]


def name_of(family):
    """The name of a test."""
    return f"{family.estimator.__name__}.{family.param}"


def targets_for(model, y):
    """Two of them, or labels, where the model wants that."""
    if isinstance(model, (MultiTaskLasso, MultiTaskElasticNet)):
        return np.column_stack([y, -y])
    return (y > 0).astype(int) if is_classifier(model) else y


@pytest.mark.parametrize("family", SINGLY, ids=name_of)
def test_values_are_sane(family):
    """Increasing, positive, whole where they count something."""
    for n, p in [(90, 8), (12, 40), (4, 1)]:
        X, y = make_regression(n, p, n_informative=1, random_state=0)
        model = family.estimator()
        values = family.default_values(model, X, targets_for(model, y), None)
        assert len(values) >= 1
        assert (values > 0).all()
        assert (np.diff(values) > 0).all()
        if family.scale == "integer":
            assert values.dtype.kind == "i"
    assert not family.fits_paths
    assert pickle.loads(pickle.dumps(family)).param == family.param


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "model", [MultiTaskLasso(), MultiTaskElasticNet(l1_ratio=0.3), LassoLars()]
)
def test_largest_penalty_of_a_lasso_leaves_nothing(model, seed):
    """And nine tenths of it leave something."""
    X, y = make_regression(60, 5, n_targets=2, noise=5, random_state=seed)
    X, y = X + 3, y[:, 0] if isinstance(model, LassoLars) else y
    largest = find_family(model, "alpha").default_values(model, X, y, None)[-1]
    model.set_params(alpha=largest * (1 + 1e-9)).fit(X, y)
    np.testing.assert_allclose(model.coef_, 0, atol=1e-8)
    model.set_params(alpha=0.9 * largest).fit(X, y)
    assert np.abs(model.coef_).max() > 1e-3


@pytest.mark.filterwarnings("ignore")  # the weakest penalties do not converge
@pytest.mark.parametrize(
    "family", [one for one in SINGLY if hasattr(one.estimator, "predict")], ids=name_of
)
def test_stronger_values_fit_the_training_rows_less(family):
    """The weakest of the default values against the strongest."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 6))
    y = X @ [3, 2, 1, 0.5, 0, 0] + rng.normal(size=80)
    model = family.estimator()
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    if "penalty" in model.get_params():
        model.set_params(penalty="l2")
    y = targets_for(model, y)
    values = family.default_values(model, X, y, None)[[0, -1]]
    weak, strong = values if family.stronger == "larger" else values[::-1]
    fits = {}
    for value in (weak.item(), strong.item()):
        model.set_params(**{family.param: value})
        fits[value] = model.fit(X, y).score(X, y)
    assert fits[weak] > fits[strong]
