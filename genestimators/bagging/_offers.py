"""Which methods a bag has, by what its estimator has, and why not."""

from genestimators.fitting import response_kind


def offers(method):
    """Whether a bag has a method, as far as can be told before it is fitted."""

    def check(self):
        estimator = self._get_estimator()
        multi_output = isinstance(getattr(self, "classes_", None), list)
        aggregate = getattr(self, "_aggregate", self.aggregate)
        kind = response_kind(
            estimator, aggregate, classifier=True, multi_output=multi_output
        )
        if method == "decision_function":
            return hasattr(estimator, "decision_function") and not multi_output
        if kind == "decision":
            raise AttributeError(
                f"{estimator!r} has no `predict_proba`, so its bag has no "
                'probabilities; set `aggregate="vote"` for shares of votes, or '
                "calibrate the estimator."
            )
        return True

    return check


def learns(bag):
    """Whether the estimator of a bag has `partial_fit`; it says so where not."""
    estimator = bag._get_estimator()
    if not hasattr(estimator, "partial_fit"):
        raise AttributeError(
            f"A bag learns batches if its estimator does, and {estimator!r} has no "
            "`partial_fit`; fit all rows, or wrap an estimator that learns batches."
        )
    return True
