"""Small data sets, and estimators that remember what they were given."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Bunch


def regression_data(n_rows=60, n_columns=4, seed=0):
    """Numbers with a smooth signal, a step and noise."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    y = X[:, 0] + (X[:, 1] > 0) + 0.3 * rng.normal(size=n_rows)
    return X, y


def classification_data(n_rows=60, n_classes=3, seed=0, labels=None):
    """Overlapping clouds, one for each class, in equal numbers and mixed order."""
    rng = np.random.default_rng(seed)
    codes = rng.permutation(np.arange(n_rows) % n_classes)
    X = rng.normal(size=(n_rows, 4)) + 0.8 * codes[:, None]
    return X, codes if labels is None else np.asarray(labels)[codes]


def multilabel_data(n_rows=60, seed=0):
    """Three labels a row, each present and absent often."""
    X, _ = regression_data(n_rows, seed=seed)
    noise = np.random.default_rng(seed + 1).normal(size=(n_rows, 3))
    return X, (X[:, :3] + 0.5 * noise > 0).astype(int)


def mostly_zero(n_rows=60, n_columns=12, seed=0):
    """A dense array with many zeros and otherwise distinct numbers, and a target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    X[rng.uniform(size=X.shape) < 0.6] = 0.0
    y = X[:, 0] - X[:, 1] + 0.1 * rng.normal(size=n_rows)
    return X, y


def aligned_proba(model, X, classes):
    """Probabilities of a member in the columns of all classes."""
    out = np.zeros((len(X), len(classes)))
    for column, label in zip(model.predict_proba(X).T, model.classes_, strict=True):
        out[:, np.flatnonzero(classes == label)[0]] = column
    return out


def assert_same_fit(one, other, X):
    """Two bags have the same members, bit by bit, as far as their answers tell."""
    assert one.n_estimators_ == other.n_estimators_
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    for method in ("predict_proba", "decision_function"):
        assert hasattr(one, method) == hasattr(other, method)
        if hasattr(one, method):
            np.testing.assert_array_equal(
                getattr(one, method)(X), getattr(other, method)(X)
            )


def figures_of(bag):
    """Every out-of-bag figure of a fitted bag."""
    starts = ("oob_", "train_score", "generalization_", "bagging_")
    return {
        name: value
        for name, value in vars(bag).items()
        if name.startswith(starts) and name.endswith("_")
    }


class _Remembers(BaseEstimator):
    def _remember(self, X, y, **given):
        self.seen_ = Bunch(X=X, y=y, **given)
        return self


class WeightedRecorder(RegressorMixin, _Remembers):
    """Takes weights and a tag a row; predicts the weighted mean of y."""

    def fit(self, X, y, sample_weight=None, tag=None, note=None):
        self.mean_ = np.average(y, weights=sample_weight)
        return self._remember(X, y, sample_weight=sample_weight, tag=tag, note=note)

    def predict(self, X, factor=1.0):
        return np.full(_n_rows(X), self.mean_) * factor


class RowRecorder(RegressorMixin, _Remembers):
    """Takes no weights; predicts the mean of y."""

    def fit(self, X, y, tag=None):
        self.mean_ = np.mean(y)
        return self._remember(X, y, tag=tag)

    def predict(self, X):
        return np.full(_n_rows(X), self.mean_)


class FrameClassifier(ClassifierMixin, _Remembers):
    """Knows the shares of the classes only, and counts on nothing in X but rows."""

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        return self._remember(X, y)

    def predict_proba(self, X):
        return np.tile(self.shares_, (_n_rows(X), 1))

    def predict(self, X):
        return np.full(_n_rows(X), self.classes_[self.shares_.argmax()])


class PredictsOnly(ClassifierMixin, BaseEstimator):
    """Nearest class mean; offers `predict` and nothing else."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == label].mean(axis=0) for label in self.classes_])
        return self

    def predict(self, X):
        distance = ((X[:, None] - self.means_) ** 2).sum(axis=2)
        return self.classes_[distance.argmin(axis=1)]


class Images(RegressorMixin, BaseEstimator):
    """Takes X of three dimensions; predicts from the mean of each image."""

    def fit(self, X, y):
        assert X.ndim == 3
        self.slope_, self.start_ = np.polyfit(X.mean(axis=(1, 2)), y, 1)
        return self

    def predict(self, X):
        assert X.ndim == 3
        return self.start_ + self.slope_ * X.mean(axis=(1, 2))


class OneArrayMultilabel(ClassifierMixin, BaseEstimator):
    """Probabilities of labels in one array, as neural networks return them."""

    def fit(self, X, y):
        self.coef_ = np.linalg.lstsq(X, y - 0.5, rcond=None)[0]
        self.classes_ = np.arange(y.shape[1])
        return self

    def predict_proba(self, X):
        return 1 / (1 + np.exp(-4 * (X @ self.coef_)))

    def predict(self, X):
        return (self.predict_proba(X) > 0.5).astype(int)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _n_rows(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)
