"""Draws of a stream: rows that come in batches and are never seen together.

What a row is drawn depends on the seed, the replicate and its name (its position in the
stream, or an id) alone: no total, no range and no stratum of the rows to come enters.
So rows are drawn alike in batches of any size, and as `fit` draws them from
`Bootstrap(key="position", stratify=False)` [1]_.

References
----------
.. [1] Oza, N. C. & Russell, S. (2001). Online bagging and boosting. Artificial
   Intelligence and Statistics, 105-112.
"""

import numpy as np

from genestimators._inputs import named_column
from genestimators._params import check_parameters
from genestimators.resampling._bootstrap import Bootstrap, BootstrapDraws
from genestimators.resampling._draws import expand
from genestimators.resampling._keys import column_keys
from genestimators.resampling._resampler import split_weights
from genestimators.resampling._resolve import resolve_resampler

_WAY_OUT = (
    'set `resampling="bootstrap"`, or `Bootstrap(key=..., stratify=False)` with '
    '"position" or a column of ids as the key'
)


def stream_resampler(resampling, max_samples):
    """The resampler of a stream, with keys that a row has by itself and no strata.

    Parameters
    ----------
    resampling : str or resampler
        "bootstrap" stands for keys by position here.
    max_samples : float or int

    Returns
    -------
    Bootstrap

    Raises
    ------
    ValueError
        If the draws need to know rows that are still to come.
    """
    if isinstance(resampling, str):
        if resampling != "bootstrap":
            raise ValueError(
                "`partial_fit` draws each row without knowing the others, and "
                f"resampling={resampling!r} cannot; {_WAY_OUT}."
            )
        resampler = Bootstrap(key="position", stratify=False, max_samples=max_samples)
    else:
        resampler = resolve_resampler(resampling, max_samples)
    if type(resampler) is not Bootstrap:
        raise ValueError(
            "`partial_fit` draws each row without knowing the others, and "
            f"{type(resampler).__name__} cannot; {_WAY_OUT}. Got {resampling!r}."
        )
    check_parameters(resampler)
    if isinstance(resampler.key, str) and resampler.key == "content":
        raise ValueError(
            '`partial_fit` cannot use `key="content"`: contents are compared within '
            f"the ranges of all rows, those to come among them; {_WAY_OUT}. "
            f"Got {resampler!r}."
        )
    if resampler.stratify is not False:
        raise ValueError(
            "`partial_fit` cannot keep the weight of all rows, or of a class, which is "
            f"not known before the last row; {_WAY_OUT}. "
            f"Got stratify={resampler.stratify!r}."
        )
    if resampler.duplicates != "separate":
        raise ValueError(
            '`duplicates="together"` goes by the content of rows, and `partial_fit` '
            "cannot; use a column of ids as the key, whose rows are drawn together. "
            f"Got {resampler!r}."
        )
    if not isinstance(resampler.max_samples, (float, np.floating)):
        raise ValueError(
            "`max_samples` must be a fraction for `partial_fit`, since a stream has no "
            f"number of rows to draw from. Got {resampler.max_samples!r}."
        )
    return resampler


def stream_draws(resampler, X, n_rows, sample_weight, seed, start, *, importance):
    """The draws of one batch of a stream.

    Parameters
    ----------
    resampler : Bootstrap
        From `stream_resampler`.
    X : container of n_rows rows
    n_rows : int
    sample_weight : ndarray of shape (n_rows,) or None
        A row of integer weight k is k occurrences, unless weights are of importance.
        All may be zero.
    seed : int
    start : int
        Rows of the stream before this batch, those of weight zero among them.
    importance : bool
        Whether weights multiply counts, rather than being counts.

    Returns
    -------
    BootstrapDraws
        Occurrences in the order of the rows. Rows of the same id share their counts,
        in this batch and in others, and so do the occurrences of one of them.

    Raises
    ------
    ValueError
        If X lacks the column of ids, or weights are too large to be counts.
    """
    position = np.arange(start, start + n_rows, dtype=np.uint64)
    by_position = isinstance(resampler.key, str) and resampler.key == "position"
    # Ids seen before cannot be remembered (there may be any number), so occurrences
    # count within a row: the same id is the same draw, wherever it comes.
    names = None if by_position else column_keys(named_column(X, resampler.key))
    frequency, factor = split_weights(sample_weight, importance)
    # All that is of one id is drawn alike, the copies that a weight stands for too: in
    # another batch its weight may be another one, and out of bag means a new id.
    together = names is not None
    return BootstrapDraws(
        expand(position, position, frequency, names=names, together=together),
        n_rows,
        seed,
        strata=None,
        fraction=float(resampler.max_samples),
        row_weight=sample_weight,
        importance=factor,
    )
