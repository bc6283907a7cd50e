"""What follows a transformer whose outputs are leading columns, without refits.

Ridge regressions share a factor of one matrix. Losses that Newton's method minimises
are solved for one number of columns after the other: each solution, with zeros for the
new columns, is the start for the next one.
"""

import numpy as np

from genestimators.fitting._leading import ridge_after
from genestimators.fitting._paths import Path
from genestimators.fitting._registry import Family, families_of
from genestimators.fitting.families.generalized_linear._newton_paths import NewtonFamily


class LeadingFamily(Family):
    """A transformer's parameter that says how many leading columns there are."""

    transforms = True
    exactness = "exact"

    def exactness_before(self, after):
        """How exact paths are with these steps after the transformer.

        Parameters
        ----------
        after : Pipeline
            Unfitted.

        Returns
        -------
        exactness : str
        """
        return self.exactness if newton_family(after) is None else "tolerance"


def path_after(columns, sizes, after, X, y, weight):
    """The path of the steps after a transformer, where it can be had without refits.

    Parameters
    ----------
    columns, sizes, after, X, y, weight
        As `ridge_after` takes them.

    Returns
    -------
    path : Path or None
    """
    path = ridge_after(columns, sizes, after, X, y, weight)
    if path is None:
        path = newton_after(columns, sizes, after, X, y, weight)
    return path


def newton_family(after):
    """The Newton family that serves the only step of a pipeline, or None."""
    if len(after.steps) != 1:
        return None
    known = families_of(after.steps[0][1])
    return next((one for one in known if isinstance(one, NewtonFamily)), None)


def newton_after(columns, sizes, after, X, y, weight):
    """The path where an estimator follows whose loss Newton's method minimises.

    Parameters
    ----------
    columns, sizes, after, X, y, weight
        As `ridge_after` takes them.

    Returns
    -------
    path : Path or None
        None where there is another estimator, or its family does not serve it.
    """
    family = newton_family(after)
    if family is None or weight is not None:
        return None
    model = after.steps[0][1]
    value = getattr(model, family.param)
    if family.unsupported(model, X, y, None, [value]) is not None:
        return None
    Z = columns.whole(X)
    if not isinstance(Z, np.ndarray) or Z.dtype != np.float64:
        return None
    inner = family.fit_leading(model, Z, y, sizes)
    return None if inner is None else LeadingPath(columns, inner)


class LeadingPath(Path):
    """A path that is asked about all columns of a transformation.

    Parameters
    ----------
    columns : object
        `columns.whole(X)` is X transformed.
    inner : Path
    """

    def __init__(self, columns, inner):
        self.columns = columns
        self.inner = inner

    @property
    def n_values(self):
        return self.inner.n_values

    @property
    def classes_(self):
        return self.inner.classes_

    def predict(self, X):
        return self.inner.predict(self.columns.whole(X))

    def predict_proba(self, X):
        return self.inner.predict_proba(self.columns.whole(X))

    def decision_function(self, X):
        return self.inner.decision_function(self.columns.whole(X))

    def parts(self, n_rows):
        for inner in self.inner.parts(n_rows):
            part = LeadingPath(self.columns, inner)
            part.family = self.family
            yield part
