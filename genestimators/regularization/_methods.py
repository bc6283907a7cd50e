"""Methods that AutoRegularizedCV takes from the estimator it has refitted."""

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

ASKED = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "inverse_transform",
    "score_samples",
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
    def score_samples(self, X, **params):
        """Scores of rows with the chosen value, where the estimator scores them.

        Parameters
        ----------
        X : container of n_samples rows
        **params : dict
            Routed to the estimator, with metadata routing switched on.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
        """
        return self._ask("score_samples", X, params)

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
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.scorer_(self._refitted("score"), X, y, **weight)

    @property
    def classes_(self):
        """The classes of the refitted classifier."""
        if not hasattr(self, "best_estimator_"):
            raise AttributeError("classes_")
        return self.best_estimator_.classes_
