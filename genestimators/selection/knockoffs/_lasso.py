"""One lasso of columns and their copies, its penalty chosen by an information
criterion.

The penalty falls step by step from where all coefficients are zero. At each step the
corrected Akaike criterion [1]_ is worked out, with the number of non-zero coefficients
as degrees of freedom [2]_; the search ends once the criterion has not improved for a
while. Nothing in it tells a column from its copy, so the choice takes nothing from the
validity of a knockoff statistic, and no folds are fitted.

Both losses are solved alike: a quadratic approximation (exact for the squared loss),
minimised by coordinate descent on the products of the columns that may matter, then a
check of all others (strong rules, [3]_).

References
----------
.. [1] Hurvich, C. M. & Tsai, C.-L. (1989). Regression and time series model selection
   in small samples. Biometrika 76, 297-307.
.. [2] Zou, H., Hastie, T. & Tibshirani, R. (2007). On the "degrees of freedom" of the
   lasso. Annals of Statistics 35, 2173-2192.
.. [3] Tibshirani, R. et al. (2012). Strong rules for discarding predictors in
   lasso-type problems. Journal of the Royal Statistical Society B 74, 245-266.
"""

import warnings

import numpy as np
from scipy.special import expit
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

_RATIO = 0.85  # of a penalty to the one before
_MOST_STEPS = 40
_PATIENCE = 4  # steps without a better criterion
_NEWTON_STEPS = 10
_TOLERANCE = 1e-6
_LEAST_WEIGHT = 1e-5


class SquaredLoss:
    """Squared error of a centred response; its approximation is exact."""

    quadratic = True

    def __init__(self, y):
        self.y = y

    def start(self):
        """The intercept of the model without columns."""
        return 0.0

    def residual(self, eta):
        """The negative slope of the loss in the linear predictor."""
        return self.y - eta

    def weight(self, eta):
        """The curvature of the loss in the linear predictor."""
        return np.ones(len(eta))

    def loss(self, eta):
        """What is minimised, penalty apart."""
        return 0.5 * np.sum((self.y - eta) ** 2)

    def deviance(self, eta):
        """Minus two log-likelihoods, the variance estimated."""
        n = len(eta)
        squares = max(2 * self.loss(eta), np.finfo(float).tiny)
        return n * np.log(squares / n)


class LogisticLoss:
    """Logistic loss of a response of zeros and ones."""

    quadratic = False

    def __init__(self, y):
        self.y = y

    def start(self):
        """The intercept of the model without columns."""
        share = self.y.mean()
        return np.log(share) - np.log1p(-share)

    def residual(self, eta):
        """The negative slope of the loss in the linear predictor."""
        return self.y - expit(eta)

    def weight(self, eta):
        """The curvature of the loss, kept from zero."""
        share = expit(eta)
        return np.maximum(share * (1 - share), _LEAST_WEIGHT)

    def loss(self, eta):
        """What is minimised, penalty apart."""
        return np.sum(np.logaddexp(0.0, eta) - self.y * eta)

    def deviance(self, eta):
        """Minus two log-likelihoods."""
        return 2 * self.loss(eta)


def chosen_lasso(A, loss, gram=None):
    """Coefficients at the penalty with the least criterion.

    Parameters
    ----------
    A : ndarray of shape (n_samples, n_columns)
        Centred columns, in Fortran order.
    loss : SquaredLoss or LogisticLoss
    gram : ndarray of shape (n_columns, n_columns), optional
        A.T @ A, where it is at hand; used for the squared loss.

    Returns
    -------
    coef : ndarray of shape (n_columns,)
    penalty : float
        The penalty of a mean loss: of loss / n_samples + penalty * sum(abs(coef)).
    """
    n_samples = len(A)
    fit = _Fit(A, loss, gram)
    size = np.abs(fit.slope())
    strongest = size.max(initial=0.0)
    best, best_coef, best_penalty = fit.criterion(), fit.coef.copy(), strongest
    penalty, waited = strongest, 0
    # Checking the solver's parameters would take longer than a small problem.
    with config_context(skip_parameter_validation=True):
        for _ in range(_MOST_STEPS if strongest > 0 else 0):
            before, penalty = penalty, _RATIO * penalty
            fit.solve(penalty, before)
            criterion = fit.criterion()
            if not np.isfinite(criterion):
                break
            waited += 1
            if criterion < best:
                best, best_coef, best_penalty = criterion, fit.coef.copy(), penalty
                waited = 0
            if waited == _PATIENCE:
                break
    return best_coef, best_penalty / n_samples


def lasso_at(A, loss, penalty, gram=None):
    """Coefficients at a penalty of the mean loss, from the zero solution in steps."""
    fit = _Fit(A, loss, gram)
    target = penalty * len(A)
    before = np.abs(fit.slope()).max(initial=0.0)
    while before > target:
        after = max(target, _RATIO * before)
        fit.solve(after, before)
        before = after
    return fit.coef


class _Fit:
    """The solution at the present penalty, from which the next one starts."""

    def __init__(self, A, loss, gram):
        self.A = A
        self.loss = loss
        self.gram = gram if loss.quadratic else None
        self.coef = np.zeros(A.shape[1])
        self.intercept = loss.start()
        self.eta = np.full(len(A), self.intercept)
        if self.gram is not None:
            self.products = A.T @ loss.y

    def slope(self):
        """Minus the slope of the loss in each coefficient."""
        if self.gram is None:
            return self.A.T @ self.loss.residual(self.eta)
        active = np.flatnonzero(self.coef)
        return self.products - self.coef[active] @ self.gram[active]

    def criterion(self):
        """The corrected Akaike criterion; infinite for models too large for it."""
        n, size = len(self.eta), np.count_nonzero(self.coef) + 1
        if size >= n - 1:
            return np.inf
        return self.loss.deviance(self.eta) + 2 * size * n / (n - size - 1)

    def solve(self, penalty, before):
        """Minimise at a penalty, given the solution at the one before."""
        slope = np.abs(self.slope())
        columns = np.flatnonzero((slope >= 2 * penalty - before) | (self.coef != 0))
        while True:
            self._solve_within(columns, penalty)
            slope = np.abs(self.slope())
            slope[columns] = 0.0
            missed = np.flatnonzero(slope > penalty * (1 + 1e-6))
            if not len(missed):
                return
            columns = np.sort(np.concatenate([columns, missed]))

    def _solve_within(self, columns, penalty):
        """Minimise over some columns, the others' coefficients being zero."""
        A = self.A[:, columns]
        if self.loss.quadratic:
            gram = A.T @ A if self.gram is None else self.gram[np.ix_(columns, columns)]
            products = (
                A.T @ self.loss.y if self.gram is None else self.products[columns]
            )
            square = self.loss.y @ self.loss.y
            coef = _descend(gram, products, square, penalty, self.coef[columns])
            self._set(columns, coef, 0.0, A @ coef)
            return
        value = self._value(self.eta, self.coef, penalty)
        for _ in range(_NEWTON_STEPS):
            coef, intercept = self._newton(A, columns, penalty)
            share, old, old_intercept = 1.0, self.coef[columns], self.intercept
            for _ in range(8):
                now = old + share * (coef - old)
                at = old_intercept + share * (intercept - old_intercept)
                eta = at + A @ now
                new_value = self._value(eta, now, penalty)
                if new_value <= value:
                    break
                share /= 2
            else:
                return
            self._set(columns, now, at, eta)
            if value - new_value <= _TOLERANCE * abs(value):
                return
            value = new_value

    def _newton(self, A, columns, penalty):
        """The minimum of the quadratic approximation, the intercept swept out."""
        weight = self.loss.weight(self.eta)
        total = weight.sum()
        response = self.eta + self.loss.residual(self.eta) / weight
        centre, level = weight @ A / total, weight @ response / total
        root = np.sqrt(weight)
        rows = root[:, None] * (A - centre)
        response = root * (response - level)
        coef = _descend(
            rows.T @ rows,
            rows.T @ response,
            response @ response,
            penalty,
            self.coef[columns],
        )
        return coef, level - centre @ coef

    def _value(self, eta, coef, penalty):
        return self.loss.loss(eta) + penalty * np.abs(coef).sum()

    def _set(self, columns, coef, intercept, eta):
        self.coef[:] = 0.0
        self.coef[columns] = coef
        self.intercept, self.eta = intercept, eta


def _descend(gram, products, square, penalty, start):
    """Coordinate descent of coef' gram coef / 2 - products' coef + penalty |coef|."""
    if not len(products):
        return products
    # The solver asks X for its shape and y for its norm only, so one row stands for
    # all.
    with warnings.catch_warnings():
        # Valid all the same: coins have swapped columns and copies beforehand, so where
        # the solver stops, and in which order it goes, says nothing of either.
        warnings.simplefilter("ignore", ConvergenceWarning)
        _, coef, _ = enet_path(
            np.zeros((1, len(products)), order="F"),
            np.array([np.sqrt(square)]),
            l1_ratio=1.0,
            alphas=np.array([penalty]),
            precompute=np.ascontiguousarray(gram),
            Xy=np.ascontiguousarray(products),
            coef_init=start.copy(),
            check_input=False,
            tol=_TOLERANCE,
        )
    return coef[:, 0]
