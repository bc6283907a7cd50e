"""Each column on all others: the regressions that a covariance holds."""

import numpy as np


class Regressions:
    """Means of single columns given all other columns of complete rows.

    Column j given the others has mean :math:`\\mu_j - \\sum_{l \\ne j} K_{lj} (z_l -
    \\mu_l) / K_{jj}`, with K the inverse of the covariance, so one inverse serves all
    columns, and a column's own value has no part in its mean.

    Parameters
    ----------
    mean : ndarray of shape (p,)
    covariance : ndarray of shape (p, p)
        Positive definite.
    """

    def __init__(self, mean, covariance):
        precision = np.linalg.inv(covariance)
        precision = (precision + precision.T) / 2
        self.mean = mean
        self.slopes = -precision / np.diag(precision)  # those of a column in a column
        np.fill_diagonal(self.slopes, 0.0)

    def predict_all(self, rows):
        """Every column from the others, the last bits being those of any product.

        Parameters
        ----------
        rows : ndarray of shape (n, p)
            Complete.

        Returns
        -------
        predictions : ndarray of shape (n, p)
        """
        return self.mean + (rows - self.mean) @ self.slopes

    def predict(self, rows, column):
        """One column from the others; the bits of a row are its own.

        Parameters
        ----------
        rows : ndarray of shape (n, p)
            Complete; what they hold in the column itself does not count.
        column : int

        Returns
        -------
        predictions : ndarray of shape (n,)
        """
        terms = (rows - self.mean).T * self.slopes[:, column, None]
        # Accumulated in order, where a sum of numpy's may group its terms by their
        # number of rows.
        return self.mean[column] + np.add.accumulate(terms, axis=0)[-1]
