"""The classes of a stream: announced at the first batch, and the same ever after."""

import numpy as np


def n_outputs_of(shape):
    """The number of outputs, from the shape of the target of one row."""
    return shape[0] if shape else 1


def listed(classes):
    """Classes as a message shows them."""
    lists = [labels.tolist() for labels in classes]
    return lists[0] if len(lists) == 1 else lists


def classes_of(classes, y):
    """What a user passes as `classes`, checked.

    Parameters
    ----------
    classes : array-like
        Labels; a list of arrays of them for several outputs, or one number for each
        of several labels that a row has (1) or not (0).
    y : ndarray of shape (n,) or (n, n_outputs)

    Returns
    -------
    known : tuple of ndarray
        The sorted labels of each output.
    handed : object
        The same in the form that an estimator takes.

    Raises
    ------
    ValueError
        If they do not go with y, or are fewer than two.
    """
    if y.ndim == 1:
        if np.ndim(classes) != 1:
            raise ValueError(
                "`classes` must be a list of labels for a target of one dimension. "
                f"Got an array of shape {np.shape(classes)}."
            )
        known = (np.unique(np.asarray(classes)),)
        handed = known[0]
    else:
        n_outputs, own = y.shape[1], list(classes)
        if len(own) != n_outputs:
            raise ValueError(
                f"`classes` must be a list with the labels of each of the {n_outputs} "
                f"outputs. Got {classes!r}."
            )
        if any(np.ndim(labels) for labels in own):
            known = tuple(np.unique(np.asarray(labels)) for labels in own)
            handed = list(known)
        else:
            known, handed = (np.array([0, 1]),) * n_outputs, np.asarray(own)
    for labels in known:
        if len(labels) < 2:
            raise ValueError(
                "`classes` must hold at least two labels of an output. "
                f"Got {labels.tolist()!r}."
            )
    return known, handed


def check_labels(classes, y, weight):
    """Refuse labels that were not announced."""
    known = y if weight is None else y[weight > 0]
    columns = known[:, None].T if known.ndim == 1 else known.T
    for labels, column in zip(classes, columns, strict=False):
        new = np.setdiff1d(column, labels)
        if len(new):
            raise ValueError(
                "y must hold labels that `classes` named at the first call of "
                f"`partial_fit`, {labels.tolist()!r}. Got {new.tolist()!r}; labels "
                "cannot be added later: begin anew with all of them."
            )
