"""Methods that AutoRegularizedCV takes from the estimator it has refitted."""

from sklearn import config_context
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

ASKED = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "inverse_transform",
)


def _estimator_has(method):
    """Whether the refitted estimator, or the one to be fitted, has a method."""

    def check(self):
        getattr(getattr(self, "best_estimator_", self.estimator), method)
        return True

    return check


class DelegatedMethods:
    """Asks `best_estimator_`; each method is there if the estimator has it."""

    def _ask(self, method, X, params):
        return getattr(self._refitted(method), method)(
            X, **self._routed(method, params)
        )

    def _refitted(self, method):
        check_is_fitted(self)
        if not hasattr(self, "best_estimator_"):
            raise AttributeError(
                f"`{method}` needs an estimator refitted with the chosen value, and "
                "there is none with refit=False; set `refit=True`, or fit with "
                "`best_params_` yourself."
            )
        return self.best_estimator_

    @available_if(_estimator_has("predict"))
    def predict(self, X, **params):
        """Predict with the chosen value.

        Parameters
        ----------
        X : container of n_samples rows
        **params : dict
            Routed to the estimator, with metadata routing switched on.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._ask("predict", X, params)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Probabilities of the classes, with the chosen value.

        Parameters
        ----------
        X : container of n_samples rows
        **params : dict
            Routed to the estimator, with metadata routing switched on.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), or a list of them
        """
        return self._ask("predict_proba", X, params)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """Logarithms of the probabilities of the classes, with the chosen value.

        Parameters
        ----------
        X : container of n_samples rows
        **params : dict
            Routed to the estimator, with metadata routing switched on.

        Returns
        -------
        p : ndarray of shape (n_samples, n_classes), or a list of them
        """
        return self._ask("predict_log_proba", X, params)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X, **params):
        """Decisions, with the chosen value.

        Parameters
        ----------
        X : container of n_samples rows
        **params : dict
            Routed to the estimator, with metadata routing switched on.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._ask("decision_function", X, params)

    @available_if(_estimator_has("transform"))
    def transform(self, X, **params):
        """Transform with the chosen value, where the estimator transforms.

        Parameters
        ----------
        X : container of n_samples rows
        **params : dict
            Routed to the estimator, with metadata routing switched on.

        Returns
        -------
        Xt : array or frame of n_samples rows
        """
        return self._ask("transform", X, params)

    @available_if(_estimator_has("transform"))
    def fit_transform(self, X, y=None, sample_weight=None, groups=None, **params):
        """Fit, and transform the same rows with the chosen value.

        Parameters
        ----------
        X, y, sample_weight, groups, **params
            As `fit` takes them.

        Returns
        -------
        Xt : array or frame of n_samples rows
        """
        return self.fit(X, y, sample_weight, groups, **params).transform(X)

    @available_if(_estimator_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X.

        Returns
        -------
        names : ndarray of str
        """
        model = self._refitted("get_feature_names_out")
        return model.get_feature_names_out(input_features)

    @available_if(_estimator_has("set_output"))
    def set_output(self, *, transform=None):
        """Set which container the estimator's transformers return.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            None changes nothing.

        Returns
        -------
        self : object
        """
        for model in (self.estimator, vars(self).get("best_estimator_")):
            if model is not None:
                model.set_output(transform=transform)
        return self

    @available_if(_estimator_has("inverse_transform"))
    def inverse_transform(self, X, **params):
        """Transform back with the chosen value, where the estimator does.

        Parameters
        ----------
        X : container of n_samples rows
            Transformed.
        **params : dict
            Routed to the estimator, with metadata routing switched on.

        Returns
        -------
        X : array or frame of n_samples rows
        """
        return self._ask("inverse_transform", X, params)

    @available_if(_estimator_has("score_samples"))
    def score_samples(self, X):
        """Scores of rows with the chosen value, where the estimator scores them.

        Parameters
        ----------
        X : container of n_samples rows

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        return self._refitted("score_samples").score_samples(X)

    def score(self, X, y=None, sample_weight=None):
        """The score of the refitted estimator, by `scorer_`.

        Parameters
        ----------
        X : container of n_samples rows
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        score : float
            Greater is better.
        """
        model = self._refitted("score")
        if sample_weight is None:
            return self.scorer_(model, X, y)
        # Weights are asked for here, so nothing nested has to request them.
        with config_context(enable_metadata_routing=False):
            return self.scorer_(model, X, y, sample_weight=sample_weight)

    @property
    def classes_(self):
        """The classes of the refitted classifier."""
        if not hasattr(self, "best_estimator_"):
            raise AttributeError("classes_")
        return self.best_estimator_.classes_

    def _of_the_refit(self, name):
        """A fitted attribute of the refitted estimator, if it has it."""
        model = vars(self).get("best_estimator_")
        if not hasattr(model, name):
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            )
        return getattr(model, name)

    @property
    def bagging_gain_(self):
        """How much lower the loss of the chosen bag is than that of one member."""
        return self._of_the_refit("bagging_gain_")

    @property
    def bagging_gain_std_error_(self):
        """The standard error of `bagging_gain_`."""
        return self._of_the_refit("bagging_gain_std_error_")
