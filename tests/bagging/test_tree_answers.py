"""Trees answer rows that are checked once, to the same bits."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from genestimators import (
    BootstrapBaggingClassifier,
    BootstrapBaggingRegressor,
    OneClassReplicateWarning,
    Subsample,
)
from genestimators.bagging import _predict
from tests.bagging.toys import (
    classification_data,
    mostly_zero,
    multilabel_data,
    regression_data,
)

REGRESSORS = [
    DecisionTreeRegressor(),
    DecisionTreeRegressor(max_depth=2, criterion="absolute_error"),
    DecisionTreeRegressor(ccp_alpha=0.02),
    ExtraTreeRegressor(max_leaf_nodes=7),
]
CLASSIFIERS = [
    DecisionTreeClassifier(max_depth=3),
    DecisionTreeClassifier(ccp_alpha=0.02, class_weight={"b": 3}),
    ExtraTreeClassifier(),
]


def answers_of(bag, *rows):
    """Everything a bag predicts, for several sets of rows."""
    methods = [name for name in ("predict", "predict_proba") if hasattr(bag, name)]
    return [getattr(bag, name)(own) for name in methods for own in rows]


def assert_same_bits(monkeypatch, bag, *rows):
    """As with each member checking the rows for itself."""
    ours = answers_of(bag, *rows)
    with monkeypatch.context() as patch:
        patch.setattr(_predict, "tree_rows", lambda model, X: None)
        theirs = answers_of(bag, *rows)
    for one, other in zip(ours, theirs, strict=True):
        parts = (
            zip(one, other, strict=True) if isinstance(one, list) else [(one, other)]
        )
        for ours_part, their_part in parts:
            np.testing.assert_array_equal(ours_part, their_part)


def asked_plainly(monkeypatch, bag, X):
    """Whether members were spared their checks."""
    asked = []
    plain = _predict.plain_tree
    monkeypatch.setattr(
        _predict, "plain_tree", lambda model: asked.append(1) or plain(model)
    )
    bag.predict(X)
    monkeypatch.undo()
    return bool(asked)


def forms_of(X):
    """The same rows in several containers, and fewer of them."""
    return [
        X,
        X[:1],
        np.asfortranarray(X),
        X[:, ::-1][:, ::-1],
        X.astype(np.float32),
        X.astype(np.float16),
        np.rint(X).astype(int),
        X.astype(object),
        X.tolist(),
    ]


@pytest.mark.filterwarnings("ignore::genestimators.OutOfBagWarning")
@pytest.mark.parametrize("aggregate", ["mean", "median", "trimmed"])
@pytest.mark.parametrize("max_features", [1.0, 0.5])
@pytest.mark.parametrize("estimator", REGRESSORS)
def test_regressors(monkeypatch, estimator, max_features, aggregate):
    """Weights, one and several outputs, and rows as they come."""
    seed = len(aggregate)
    X, y = regression_data(80, seed=seed)
    weight = np.random.default_rng(seed).integers(0, 3, len(y))
    for target in (y, np.column_stack([y, -(y**2)])):
        bag = BootstrapBaggingRegressor(
            estimator,
            n_estimators=12,
            max_features=max_features,
            aggregate=aggregate,
            random_state=seed,
        ).fit(X, target, sample_weight=weight)
        assert_same_bits(monkeypatch, bag, *forms_of(X))
    assert asked_plainly(monkeypatch, bag, X)


@pytest.mark.parametrize("aggregate", ["mean", "median", "vote", "logit"])
@pytest.mark.parametrize("max_features", [1.0, 0.5])
@pytest.mark.parametrize("estimator", CLASSIFIERS)
def test_classifiers(monkeypatch, estimator, max_features, aggregate):
    """Labels that are texts, of two and three classes."""
    for n_classes in (2, 3):
        X, y = classification_data(
            80, n_classes, labels=["a", "b", "c"][:n_classes], seed=n_classes
        )
        bag = BootstrapBaggingClassifier(
            estimator,
            n_estimators=12,
            max_features=max_features,
            aggregate=aggregate,
            random_state=0,
        ).fit(X, y)
        assert_same_bits(monkeypatch, bag, *forms_of(X))
    assert asked_plainly(monkeypatch, bag, X)


@pytest.mark.parametrize("aggregate", ["mean", "vote"])
def test_several_outputs_of_classes(monkeypatch, aggregate):
    """Labels and classes, which members align by themselves."""
    X, y = multilabel_data()
    y[:, 1] += y[:, 0]  # three classes
    bag = BootstrapBaggingClassifier(
        n_estimators=12, aggregate=aggregate, random_state=0
    ).fit(X, y)
    assert_same_bits(monkeypatch, bag, *forms_of(X))


def test_members_that_lack_a_class(monkeypatch):
    """Small replicates miss classes, some all but one."""
    X, y = classification_data(60)
    for aggregate in ("mean", "vote"):
        bag = BootstrapBaggingClassifier(
            aggregate=aggregate,
            resampling=Subsample(0.05, stratify=False),
            n_estimators=40,
            oob_score=False,
            random_state=0,
        )
        with pytest.warns(OneClassReplicateWarning):
            bag.fit(X, y)
        assert {1, 2, 3} == {len(model.classes_) for model in bag.estimators_}
        assert_same_bits(monkeypatch, bag, X, X[:1])


@pytest.mark.parametrize("max_features", [1.0, 0.5])
def test_sparse(monkeypatch, max_features):
    """Rows in a sparse matrix, whose indices must be short."""
    X, y = mostly_zero()
    rows = sparse.csr_array(X)
    bag = BootstrapBaggingRegressor(
        n_estimators=12, max_features=max_features, random_state=0
    ).fit(rows, y)
    assert_same_bits(monkeypatch, bag, rows, X, sparse.csc_array(X), rows[:1])
    assert asked_plainly(monkeypatch, bag, rows)
    long = rows.copy()
    long.indices, long.indptr = long.indices.astype(int), long.indptr.astype(int)
    with pytest.raises(ValueError, match="int64 index based sparse"):
        bag.predict(long)


@pytest.mark.parametrize("max_features", [1.0, 0.5])
@pytest.mark.parametrize("in_training", [False, True])
def test_missing_values_are_sent_on(monkeypatch, in_training, max_features):
    """Trees take them, whether they have seen any or not."""
    X, y = regression_data(80)
    rows = X.copy()
    rows[::3, 1] = np.nan
    bag = BootstrapBaggingRegressor(
        n_estimators=12, max_features=max_features, random_state=0
    ).fit(rows if in_training else X, y)
    assert_same_bits(monkeypatch, bag, rows, rows[:1], rows.astype(np.float32))
    assert asked_plainly(monkeypatch, bag, rows)


def refusal(model, X):
    """The words in which rows are refused, or none."""
    try:
        with np.errstate(over="ignore"):
            model.predict(X)
    except ValueError as error:
        return str(error)
    return ""


def test_what_trees_refuse_is_refused_in_their_words(monkeypatch):
    """Infinities, what becomes one in single precision, and NaN where it is none."""
    X, y = regression_data(60)
    constrained = DecisionTreeRegressor(monotonic_cst=[1, 0, 0, 0])
    for estimator in (DecisionTreeRegressor(), ExtraTreeRegressor(), constrained):
        bag = BootstrapBaggingRegressor(estimator, n_estimators=5, random_state=0)
        bag.fit(X, y)
        for value in (np.inf, -np.inf, 1e300, np.nan):
            rows = X.copy()
            rows[5, 2] = value
            theirs = refusal(bag.estimators_[0], rows)
            assert refusal(bag, rows) == theirs
            assert "Input X contains" in theirs or np.isnan(value)
            if not theirs:
                assert_same_bits(monkeypatch, bag, rows)
        with pytest.raises(ValueError, match="NaN"):
            bag.predict(sparse.csr_array(np.where(X > 2, np.nan, X)))
        with pytest.raises(ValueError, match="could not convert"):
            bag.predict(np.array([["a", "b", "c", "d"]]))
        with pytest.raises(ValueError, match="0 sample"):
            bag.predict(X[:0])


def test_columns_that_no_member_sees_may_hold_anything():
    """Infinities there are nobody's business."""
    X, y = regression_data(60, 8)
    bag = BootstrapBaggingRegressor(max_features=1, n_estimators=3, random_state=0)
    bag.fit(X, y)
    unseen = np.setdiff1d(np.arange(8), np.concatenate(bag.estimators_features_))
    rows = X.copy()
    rows[:, unseen] = np.inf
    np.testing.assert_array_equal(bag.predict(rows), bag.predict(X))


def test_frames(monkeypatch):
    """Columns of several types, chosen by number and checked by name."""
    pd = pytest.importorskip("pandas")
    X, y = regression_data(60)
    frame = pd.DataFrame(X, columns=list("abcd"))
    frame["b"] = np.rint(frame["b"]).astype("Int64")
    frame.loc[3, "b"] = pd.NA
    for max_features in (1.0, 0.5):
        bag = BootstrapBaggingRegressor(
            n_estimators=12, max_features=max_features, random_state=0
        ).fit(frame, y)
        assert_same_bits(monkeypatch, bag, frame, frame[:1])
        assert asked_plainly(monkeypatch, bag, frame)
        with pytest.raises(ValueError, match="feature names should match"):
            bag.predict(frame[list("bacd")])


class Shifted(DecisionTreeRegressor):
    """A tree that predicts otherwise."""

    def predict(self, X, check_input=True):
        return 1 + super().predict(X, check_input)


def test_other_estimators_are_asked_themselves(monkeypatch):
    """Subclasses, forests and pipelines."""
    X, y = regression_data(60)
    for estimator in (
        Shifted(),
        RandomForestRegressor(n_estimators=2),
        make_pipeline(StandardScaler(), DecisionTreeRegressor()),
    ):
        bag = BootstrapBaggingRegressor(estimator, n_estimators=4, random_state=0)
        bag.fit(X, y)
        assert not asked_plainly(monkeypatch, bag, X)
        mean = np.mean([model.predict(X) for model in bag.estimators_], axis=0)
        np.testing.assert_allclose(bag.predict(X), mean)


def test_jobs_change_nothing(monkeypatch):
    """Neither do few rows, which are not shared out."""
    X, y = regression_data(60)
    bag = BootstrapBaggingRegressor(n_estimators=25, max_features=0.5, random_state=0)
    bag.fit(X, y)
    alone = bag.predict(X)
    bag.set_params(n_jobs=2)
    np.testing.assert_array_equal(bag.predict(X), alone)
    monkeypatch.setattr(_predict, "_LOOK_UPS", 0)
    np.testing.assert_array_equal(bag.predict(X), alone)
