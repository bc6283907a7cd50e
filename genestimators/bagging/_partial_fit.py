"""`partial_fit` of the two bags."""

from sklearn.utils.metaestimators import available_if

from genestimators.bagging._offers import learns
from genestimators.bagging._stream import learn_batch


class StreamingRegressor:
    """Gives a bag of regressors `partial_fit`, where its estimator has it."""

    @available_if(learns)
    def partial_fit(self, X, y, sample_weight=None, **params):
        """Learn one batch of a stream of rows, and score the bag on it before.

        Each member learns the rows that its replicate draws, by the `partial_fit` of
        the estimator: online bagging [1]_. How often a row is drawn depends on the
        seed, the member and the row's position in the stream (or its id) alone, so
        batches of any size give the same model, for estimators that do not mind how
        rows are grouped. Rows are not kept, and memory does not grow with their number.

        Use it for data that arrive over time or do not fit in memory. Rows that fit
        are better learned by `fit`, which draws with strata, scores more closely and
        keeps what intervals need.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
            One row or more; the same columns in every batch.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Numbers to predict.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; see `weight_mode`. All may be zero.
        **params : dict
            Routed to the estimator's `partial_fit`, with metadata routing switched on.

        Returns
        -------
        self : object
            The bag, further on. After an error it is what it was before the call.

        Raises
        ------
        TypeError
            If a parameter is of a wrong kind, or arguments cannot be routed.
        ValueError
            If X, y or weights do not go with the batches before; if a parameter has
            changed; if `resampling` needs to know rows that are still to come.

        Warns
        -----
        OutOfBagWarning
            If members that have learned little answer rows of the batch with NaN.

        Notes
        -----
        *Draws.* ``resampling="bootstrap"`` stands for
        ``Bootstrap(key="position", stratify=False)`` here: counts are Poisson at rate
        `max_samples`, balanced over ten members. `fit` with that object draws alike.
        ``key="id"``, or the position of that column, goes by an id instead: rows of one
        id are drawn alike in whatever batch they come, so that out of bag means a new
        id. Contents, classes, groups and blocks need all rows, and raise.

        *Members.* ``n_estimators="auto"`` is 50 members, or `max_estimators` if that is
        less: a stream does not tell beforehand how many it takes. One that has not
        drawn a row yet does not vote and is not in `estimators_`.

        *Prequential score* [2]_. Before a batch is learned, each of its rows is
        predicted by the members that will leave it out, and scored by `oob_score`: a
        running mean over the stream in `prequential_score_`, young models and old ones
        alike. It depends on the size of batches (the model does not); the first batch
        is not scored. Scores that are no sums over rows raise; with `oob_score=False`
        nothing is predicted.

        *After* `fit`, the members go on from what they know, with new draws by
        position, and the figures of the fit are dropped. `fit` after `partial_fit`
        begins anew.

        References
        ----------
        .. [1] Oza, N. C. & Russell, S. (2001). Online bagging and boosting. Artificial
           Intelligence and Statistics, 105-112.
        .. [2] Dawid, A. P. (1984). Statistical theory: the prequential approach.
           Journal of the Royal Statistical Society A 147, 278-292.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.linear_model import SGDRegressor
        >>> from genestimators import BootstrapBaggingRegressor
        >>> rng = np.random.default_rng(0)
        >>> bag = BootstrapBaggingRegressor(SGDRegressor(), random_state=0)
        >>> for _ in range(20):
        ...     X = rng.normal(size=(50, 3))
        ...     bag = bag.partial_fit(X, X[:, 0] + rng.normal(size=50))
        >>> bag.n_samples_seen_, bag.n_estimators_
        (1000, 50)
        >>> 0.3 < bag.prequential_score_ < 0.5
        True
        """
        return learn_batch(self, X, y, None, sample_weight, params)


class StreamingClassifier:
    """Gives a bag of classifiers `partial_fit`, where its estimator has it."""

    @available_if(learns)
    def partial_fit(self, X, y, classes=None, sample_weight=None, **params):
        """Learn one batch of a stream of rows, and score the bag on it before.

        Each member learns the rows that its replicate draws, by the `partial_fit` of
        the estimator: online bagging [1]_. How often a row is drawn depends on the
        seed, the member and the row's position in the stream (or its id) alone, so
        batches of any size give the same model, for estimators that do not mind how
        rows are grouped. Rows are not kept, and memory does not grow with their number.

        See :meth:`BootstrapBaggingRegressor.partial_fit` for draws, members, the
        prequential score, and what happens after `fit`.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
            One row or more; the same columns in every batch.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, all of them among `classes`.
        classes : array-like of shape (n_classes,), or list of them, default=None
            Every label of the stream; of each output, where there are several; for
            indicators of labels also their numbers, where the estimator wants those.
            Asked for at the first call (not after `fit`); later it may be left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; see `weight_mode`. All may be zero.
        **params : dict
            Routed to the estimator's `partial_fit`, with metadata routing switched on.

        Returns
        -------
        self : object
            The bag, further on. After an error it is what it was before the call.

        Raises
        ------
        TypeError
            If a parameter is of a wrong kind, or arguments cannot be routed.
        ValueError
            If X, y, classes or weights do not go with the batches before; if a
            parameter has changed; if `resampling` needs to know rows that are still to
            come.

        Warns
        -----
        OutOfBagWarning
            If members that have learned little answer rows of the batch with NaN.

        References
        ----------
        .. [1] Oza, N. C. & Russell, S. (2001). Online bagging and boosting. Artificial
           Intelligence and Statistics, 105-112.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.naive_bayes import GaussianNB
        >>> from genestimators import BootstrapBaggingClassifier
        >>> X, y = load_iris(return_X_y=True)
        >>> bag = BootstrapBaggingClassifier(GaussianNB(), random_state=0)
        >>> for start in range(5):
        ...     bag = bag.partial_fit(X[start::5], y[start::5], classes=[0, 1, 2])
        >>> bag.n_samples_seen_
        150
        >>> bag.prequential_score_ > 0.9
        True
        """
        return learn_batch(self, X, y, classes, sample_weight, params)
