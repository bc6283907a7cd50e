"""From figures at a few sizes of the training data to those at another size.

The variance of a learner falls about as a power of the number of rows, bias^2 about
towards a limit as one over their number; both are lines, in logarithms and in 1 / m.
"""

import numpy as np


def line_weights(at, new):
    """Weights of ordinates so that a fitted line is read off at a new place.

    Parameters
    ----------
    at : ndarray of shape (n_sizes,)
        Places of the ordinates.
    new : float or ndarray of shape (n_new,)

    Returns
    -------
    weights : ndarray of shape (n_sizes,) or (n_new, n_sizes)
        Least squares; they add up to one.
    """
    centred = at - at.mean()
    slope = centred / (centred @ centred)
    new = np.asarray(new, dtype=np.float64)[..., None]
    return 1 / len(at) + (new - at.mean()) * slope


def extrapolate_limit(values, sizes, new):
    """Read a + b / m, fitted to values at some sizes, off at another size.

    Parameters
    ----------
    values : ndarray of shape (n_sizes, ...)
    sizes : ndarray of shape (n_sizes,)
    new : float

    Returns
    -------
    value : ndarray of shape (...)
    gradient : ndarray of shape (n_sizes, ...)
        Its derivatives by the values.
    """
    weights = line_weights(1 / sizes, 1 / new)
    value = np.tensordot(weights, values, axes=1)
    shape = (len(sizes),) + (1,) * (values.ndim - 1)
    return value, np.broadcast_to(weights.reshape(shape), values.shape)


def extrapolate_power(values, sizes, new):
    """The same of a power of m; zero where all values are zero.

    Where a value is zero and another is not, there is no power of m, and the limit's
    curve stands in.
    """
    weights = line_weights(np.log(sizes), np.log(new))
    shape = (len(sizes),) + (1,) * (values.ndim - 1)
    weights = weights.reshape(shape)
    positive = (values > 0).all(axis=0)
    safe = np.where(positive, values, 1.0)
    value = np.exp((weights * np.log(safe)).sum(axis=0))
    gradient = value * weights / safe
    other, other_gradient = extrapolate_limit(values, sizes, new)
    other = np.maximum(other, 0.0)
    return (
        np.where(positive, value, other),
        np.where(positive, gradient, other_gradient),
    )
