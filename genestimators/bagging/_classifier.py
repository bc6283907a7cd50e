"""The bagging classifier."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.metaestimators import available_if

from genestimators._compat import with_callbacks
from genestimators._delegate import inherit_tags
from genestimators._exceptions import (
    OneClassReplicateWarning,
    OutOfBagWarning,
    warn_user,
)
from genestimators._params import Options
from genestimators.bagging._base import BaseBootstrapBagging
from genestimators.bagging._figures import outputs_of
from genestimators.bagging._offers import offers
from genestimators.bagging._partial_fit import StreamingClassifier
from genestimators.bagging._uncertainty import (
    class_scores,
    keep,
    predict_set,
    predict_std,
)


class BootstrapBaggingClassifier(
    ClassifierMixin, StreamingClassifier, BaseBootstrapBagging
):
    """Averages a classifier over resampled rows and says how well it generalises.

    The estimator is fitted on bootstrap replicates of the rows and the probabilities
    are averaged [1]_. Rows that a replicate leaves out are predicted by it, and these
    out-of-bag predictions give, without further fits: a score to expect on new rows,
    the gap to the training score with its standard error, and what averaging gained.

    Use it for classifiers that change a lot when a few rows change: trees, boosted
    trees, nearest neighbours, models with many features for their rows. It does
    nothing for stable ones (logistic regression with many more rows than features):
    `bagging_gain_` is then about zero.

    Parameters
    ----------
    estimator : estimator, default=None
        The classifier to average; None is a `DecisionTreeClassifier`. Pipelines, text
        and frames are fine: rows reach it in the container they came in, labels as
        they are.
    n_estimators : int or "auto", default="auto"
        How many replicates. "auto" fits ten, then as many as bring the loss within
        `tolerance` of that of infinitely many, at most `max_estimators`. Of nearest
        neighbours it takes infinitely many, see `engine`.
    resampling : str or resampler, default="bootstrap"
        How rows are drawn: "bootstrap", "group", "block", "bayesian", "subsample", or
        an object; see :class:`Bootstrap`, :class:`GroupBootstrap`,
        :class:`BlockBootstrap`, :class:`BayesianBootstrap` and :class:`Subsample`.
    max_samples : float in (0, 1] or int, default=1.0
        How much to draw for a replicate, as a fraction or a number. Less is a stronger
        regularizer. For "subsample" it is the fraction (0.5 if left at 1.0).
    max_features : float in (0, 1] or int, default=1.0
        How many columns each replicate sees, as a fraction or a number.
    aggregate : {"mean", "median", "trimmed", "vote", "logit"}, default="mean"
        How members are combined: mean, median or trimmed mean (a tenth off either end)
        of their probabilities, votes, or the mean of log-probabilities. Estimators
        without `predict_proba` have their decision functions averaged, those with
        neither vote.
    weight_mode : {"frequency", "importance"}, default="frequency"
        What `sample_weight` means. "frequency": a row of weight k is k rows, exactly.
        "importance": draws ignore weights and counts are multiplied by them.
    oob_score : bool, str or callable, default=True
        True scores the accuracy out of bag; a name, a scorer (estimator, X, y) or a
        metric (y_true, y_pred) of predicted labels scores by it. False computes no
        figure on the training data.
    tolerance : float, default=0.01
        For `n_estimators="auto"`: the excess of the Brier score over that of
        infinitely many members, relative to it.
    max_estimators : int, default=200
        For `n_estimators="auto"`: the most to fit.
    engine : {"auto", "generic"}, default="auto"
        "auto" fits all members of an estimator it knows from sums that they share, see
        :ref:`the list <shared_engine>`, and has a formula for infinitely many nearest
        neighbours with `n_estimators="auto"`, see :ref:`its terms <limit_engine>`;
        "generic" fits one clone after the other.
    early_stopping : {"out_of_bag"} or None, default=None
        "out_of_bag" hands each replicate's held-out rows, as validation set, to a
        booster that stops early (scikit-learn's HistGradientBoosting, XGBoost,
        LightGBM). Out-of-bag figures are then a little optimistic, see Notes.
    warm_start : bool, default=False
        Keep what is fitted and add to it when `fit` is called again on the same data.
    n_jobs : int, default=None
        Fits and predictions to run at a time. Results do not depend on it.
    random_state : int, RandomState or None, default=None
        Seed of draws, columns and the estimator's own `random_state`.
    verbose : int, default=0
        1 prints about ten lines while fitting, 2 one for each replicate.

    Attributes
    ----------
    estimator_ : estimator
        The estimator that was cloned.
    estimators_ : sequence of estimators
        The fitted members; those of a shared engine are made when asked for. Of a
        limit they have no end: take some by their numbers, or a slice.
    engine_ : {"shared", "generic", "limit"}
        What fitted the members; "limit" averages infinitely many by a formula.
    n_estimators_ : int or float
        Number of members; infinity for a limit.
    estimators_samples_ : sequence of ndarray
        In-bag rows of each member, repeated as often as they were drawn (whatever
        their weight); made from the seed when asked for.
    estimators_features_ : sequence of ndarray
        Columns of each member.
    classes_ : ndarray or list of ndarray
        Labels, for each output.
    n_features_in_ : int
        Number of columns of X, where X has columns.
    feature_names_in_ : ndarray of str
        Names of the columns, where X is a frame with names.
    oob_decision_function_ : ndarray of shape (n_samples, n_classes) or list of them
        Out-of-bag probabilities (or decisions, or vote shares); NaN for rows that were
        never out of bag.
    oob_score_ : float
        Score of the out-of-bag predictions. The Brier score is corrected to that of
        infinitely many members; other scores are not corrected, and are a little
        pessimistic for few members.
    oob_score_std_error_ : float
        Its standard error over rows, groups or blocks.
    oob_coverage_ : float
        Share of the weight of rows that were out of bag at least once.
    train_score_ : float
        Score of the ensemble on its training rows.
    generalization_gap_ : float
        Training score minus out-of-bag score.
    generalization_gap_std_error_ : float
        Its standard error; rows count in pairs, so it is smaller than that of either
        score.
    bagging_gain_ : float
        How much averaging lowered the Brier score (the 0-1 loss for estimators without
        probabilities): loss of a member minus loss of the ensemble.
    bagging_gain_std_error_ : float
        Its standard error over rows, given the members; over other samples of data it
        varies more, about twice as much for trees.
    row_mode_ : {"weights", "rows"}
        How counts reached the estimator: as `sample_weight`, or as repeated rows.
    draw_version_ : int
        Version of the hashing and drawing of rows.
    n_samples_seen_ : int
        After `partial_fit`: rows of the stream so far.
    prequential_score_ : float
        After `partial_fit`: score of the predictions made for rows before they were
        learned, by members that leave them out. NaN after the first batch.
    prequential_score_std_error_ : float
        Its standard error over rows.

    See Also
    --------
    BootstrapBaggingRegressor : The same for regression.

    Notes
    -----
    An out-of-bag row was left out by about a third of the members, and every member
    saw about 63 % of the rows, so out-of-bag scores lean to the pessimistic side.
    There is a `decision_function` where the estimator has one. If it has probabilities
    too, it is the log-odds of their average, so that it ranks rows as `predict_proba`
    does.

    With ``early_stopping="out_of_bag"`` the rows that score a member have also chosen
    its number of rounds, so losses out of bag are a little too low: by 2 to 4 % for 60
    rows, 1 to 2 % for 100 to 200, and not measurably for 800, in simulations.

    References
    ----------
    .. [1] Breiman, L. (1996). Bagging predictors. Machine Learning 24, 123-140.
    .. [2] Breiman, L. (1996). Out-of-bag estimation. Technical report, University of
       California, Berkeley.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from genestimators import BootstrapBaggingClassifier
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> bag = BootstrapBaggingClassifier(n_estimators=20, random_state=0).fit(X, y)
    >>> bag.oob_score_ > 0.9
    True
    """

    _is_classifier = True
    _parameter_constraints = {
        **BaseBootstrapBagging._parameter_constraints,
        "aggregate": [Options("mean", "median", "trimmed", "vote", "logit")],
    }

    def _get_estimator(self):
        return DecisionTreeClassifier() if self.estimator is None else self.estimator

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None, **params):
        """Fit the members and compute the out-of-bag figures.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
            Whatever the estimator takes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights; see `weight_mode`.
        groups : array-like of shape (n_samples,), default=None
            Labels of rows that belong together. `resampling="group"` draws them
            together; standard errors count them as one, unless blocks are drawn.
        **params : dict
            Routed to the estimator's `fit`, with metadata routing switched on.

        Returns
        -------
        self : object
            The fitted bag.

        Raises
        ------
        TypeError
            If a parameter is of a wrong kind, or arguments cannot be routed.
        ValueError
            If a parameter, y, weights or groups are out of their range.
        """
        self._fit(X, y, sample_weight, groups, params)
        if len(self._response.classes) == 1 and self.engine_ != "limit":
            self._warn_one_class()
        return self

    def __sklearn_tags__(self):
        return inherit_tags(super().__sklearn_tags__(), self._get_estimator())

    def _warn_one_class(self):
        # A base that votes need not have `classes_`.
        n_short = sum(
            len(getattr(model, "classes_", ())) == 1 for model in self._members
        )
        if n_short:
            warn_user(
                f"{n_short} of {self.n_estimators_} replicates hold rows of one class "
                "only and predict it everywhere; resample in a way that keeps classes "
                '(`resampling="bootstrap"` does), or use larger replicates.',
                OneClassReplicateWarning,
            )
        n_lacking = -n_short + sum(
            len(getattr(model, "classes_", self.classes_)) < len(self.classes_)
            for model in self._members
        )
        if n_lacking and self.early_stopping is not None:
            warn_user(
                f"{n_lacking} of {self.n_estimators_} replicates lack a class, and the "
                "held-out rows of it are not in their validation sets; resample in a "
                'way that keeps classes (`resampling="bootstrap"` does).',
                OutOfBagWarning,
            )

    def _classes_of(self, y, weight):
        known = y if weight is None else y[weight > 0]
        classes = tuple(np.unique(column) for column in known.reshape(len(known), -1).T)
        if len(classes) == 1 and len(classes[0]) < 2:
            raise ValueError(
                f"{type(self).__name__} needs rows of at least two classes (of "
                f"positive weight). Got one class, {classes[0].tolist()[0]!r}."
            )
        return classes

    def _check_response(self, estimator, response):
        if self.aggregate == "logit" and response.kind != "log_probability":
            raise ValueError(
                '`aggregate="logit"` averages logarithms of probabilities and needs an '
                f'estimator with `predict_proba`; set `aggregate="mean"`. '
                f"Got {estimator!r}."
            )

    def _store_classes(self, response):
        classes = list(response.classes)
        self.classes_ = classes[0] if len(classes) == 1 else classes

    def _store(self, plan, *args):
        super()._store(plan, *args)
        scores, probability = None, getattr(self, "oob_decision_function_", None)
        one = len(self._response.classes) == 1 and self._response.kind != "decision"
        if probability is not None and one:
            rows = self._draws.row_order()
            scores = class_scores(plan["y"], probability, self.classes_, rows)
        keep(self, scores)

    def _store_out_of_bag(self, answer):
        outputs = self._outputs(answer)
        stored = outputs.predict_proba
        self.oob_decision_function_ = (
            outputs.decision_function if stored is None else stored
        )

    def _outputs(self, answer):
        return outputs_of(answer, self._response, self._aggregate, flat_y=True)

    def predict(self, X, **params):
        """Predict class labels.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
        **params : dict
            Routed to the members, with metadata routing switched on.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._outputs(self._answer(X, self._method(), params)).predict

    @available_if(offers("predict_proba"))
    def predict_proba(self, X, **params):
        """Predict class probabilities: averages over the members, or shares of votes.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
        **params : dict
            Routed to the members, with metadata routing switched on.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), or a list of them, one an output
        """
        return self._outputs(self._answer(X, self._method(), params)).predict_proba

    @available_if(offers("predict_proba"))
    def predict_log_proba(self, X, **params):
        """Predict logarithms of class probabilities.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
        **params : dict
            Routed to the members, with metadata routing switched on.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), or a list of them, one an output
            Minus infinity for classes of probability zero.
        """
        probability = self.predict_proba(X, **params)
        with np.errstate(divide="ignore"):
            if isinstance(probability, list):
                return [np.log(part) for part in probability]
            return np.log(probability)

    @available_if(offers("decision_function"))
    def decision_function(self, X, **params):
        """Averaged decisions, or log-odds of the averaged probabilities.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
        **params : dict
            Routed to the members, with metadata routing switched on.

        Returns
        -------
        score : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One column for two classes.
        """
        return self._outputs(self._answer(X, self._method(), params)).decision_function

    @available_if(offers("predict_proba"))
    def predict_set(self, X, *, confidence_level=0.9):
        """Predict sets of classes that the classes of new rows are in, mostly.

        A class is in the set unless its probability is lower than those that true
        classes get on nearly all training rows, each predicted by the members that
        left it out; so nothing is fitted again and no data are set aside (the
        jackknife+ for classes [2]_, after bootstrap [1]_).

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows
        confidence_level : float in (0, 1), default=0.9
            The share of new rows whose class should be in their set.

        Returns
        -------
        member : ndarray of shape (n_samples, n_classes), bool
            Whether each of `classes_` is in the set of a row. Sets can be empty where
            no class is typical, if the bag is right more often than the level asks.

        Raises
        ------
        TypeError
            If the level is no number.
        ValueError
            If the level is out of its range, if there are several outputs, if the fit
            made no out-of-bag predictions, if there are too few for the level, or if
            members are infinitely many (`engine_ == "limit"`).

        Warns
        -----
        CoverageWarning
            If the data chose the number of estimators (`n_estimators="auto"`), which
            the proof below does not cover.
        OutOfBagWarning
            If rows were never out of bag. They speak for every class.

        Notes
        -----
        For n rows, with :math:`p_{-i}` the probabilities by the members that left row i
        out, class k is in the set of x unless :math:`p_{-i}(x, k) < p_{-i}(x_i, y_i)`
        for at least :math:`c (n + 1)` rows i, for a level c.

        *What is proved.* For rows that are exchangeable with the new one, an estimator
        that does not mind the order of rows, and replicates drawn independently, their
        number at random (binomial), the class is in its set with probability at least
        2c - 1 (0.8 at a level of 0.9) [1]_ [2]_. Here the number is fixed and draws are
        balanced and keep the classes' weights, so the letter of the proof does not
        apply; the coverage found in practice is near c. It holds on average over rows,
        not for each class or each x.

        Weights, groups and blocks are dealt with as in
        :meth:`BootstrapBaggingRegressor.predict_interval`: each group weighs one; for
        blocks one threshold serves all rows, and nothing is proved.

        References
        ----------
        .. [1] Kim, B., Xu, C. & Barber, R. F. (2020). Predictive inference is free with
           the jackknife+-after-bootstrap. NeurIPS 33.
        .. [2] Romano, Y., Sesia, M. & Candes, E. J. (2020). Classification with valid
           and adaptive coverage. NeurIPS 33.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from genestimators import BootstrapBaggingClassifier
        >>> X, y = load_wine(return_X_y=True)
        >>> bag = BootstrapBaggingClassifier(n_estimators=20, random_state=0).fit(X, y)
        >>> bag.predict_set(X[:2], confidence_level=0.95).shape
        (2, 3)
        """
        return predict_set(self, X, confidence_level)

    @available_if(offers("predict_proba"))
    def predict_std(self, X):
        """Standard errors of the probabilities: how they vary over samples of data.

        Drawing other training rows from the same population (with as many of each
        class, where draws are stratified) would move the probabilities at x; this is
        the standard deviation of that move, by the infinitesimal jackknife. See
        :meth:`BootstrapBaggingRegressor.predict_std` for what it rests on.

        Parameters
        ----------
        X : array, sparse matrix, frame or sequence of n_samples rows

        Returns
        -------
        std : ndarray of shape (n_samples, n_classes), or a list of them, one an output
            Zero where the estimate of its square came out negative.

        Raises
        ------
        ValueError
            If the bag draws blocks, if it averages neither probabilities nor votes, if
            it has no more members than are drawn together (ten), or infinitely many.

        Warns
        -----
        FewReplicatesWarning
            If there are too few members: where the Monte-Carlo error of the squares is
            more than half of them on average, or some came out negative.
        """
        std = predict_std(self, X)
        parts = [std[:, part] for part in self._response.slices]
        return parts[0] if len(parts) == 1 else parts

    def _method(self):
        """The method of the members that is asked."""
        kind = getattr(self, "_response", None) and self._response.kind
        if kind == "decision":
            return "decision_function"
        return "predict" if kind == "vote" else "predict_proba"
