"""The error on new rows from given folds, with the standard error of rows or blocks."""

from dataclasses import replace

import numpy as np

from genestimators.diagnostics.error._estimate import estimate_of, freedom_of
from genestimators.diagnostics.error._nested import N_FOLDS
from genestimators.regularization._splits import make_splits
from genestimators.resampling._block_length import optimal_block_length


def by_cross_validation(question):
    """Mean loss of all rows that some split tests, each once.

    Its standard error is that of rows, or of groups (Bayle et al., 2020). Where every
    split learns from rows before those that it tests, rows are a series, and losses
    near each other in it one block.

    Parameters
    ----------
    question : Question

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If `n_repeats` is set, or fewer than two rows or groups are tested.

    Notes
    -----
    A row that is tested in several splits has the mean of its losses, so repeats and
    random splits do not make rows out of nothing. They do leave less of the luck of
    the folds, which is in no standard error of rows; neither is that other rows would
    have made other models.
    """
    if question.n_repeats is not None:
        raise ValueError(
            "`n_repeats` is for methods that draw their own splits, and "
            "method='cross_validation' has those of `cv`. Got "
            f"n_repeats={question.n_repeats!r}; pass a splitter that repeats, such as "
            "`cv=RepeatedKFold(...)`."
        )
    draws, numbers = _draws(question)
    _check_apart(question, draws, numbers)
    losses, tested = _losses(question, draws, numbers)
    problem = question.problem
    # The same question about the rows that were tested: R2 compares with their mean.
    weight = np.where(tested, problem.weights, 0.0)
    asked = replace(question, problem=replace(problem, weight=weight))
    if asked.n_units < 2:
        units = "rows" if problem.groups is None else "groups"
        raise ValueError(
            f"method='cross_validation' needs two {units} or more that some split "
            f"tests. Got {asked.n_units}; set `cv` to splits that test more."
        )
    losses = losses[asked.used]
    own = asked.unit_sums(asked.shares * asked.deviations(losses))
    if goes_forward(draws, numbers):
        first = np.full(len(own), problem.n_rows)
        np.minimum.at(first, asked.units, asked.used)
        own = block_sums(own[np.argsort(first)])
    few = min(len(own), asked.effective_units)
    return estimate_of(
        asked,
        float(asked.shares @ losses @ asked.scale),
        float(np.sqrt(few / (few - 1) * (own**2).sum())),
        freedom=freedom_of(own, few),
        n_fits=len(numbers),
    )


def _draws(question):
    problem = question.problem
    if question.cv is None:
        n_folds = min(N_FOLDS, question.n_units)
        return question.folds(n_folds), range(n_folds)
    splits = make_splits(
        question.cv,
        1,
        problem.X,
        problem.y,
        problem.weight,
        problem.groups,
        problem.seed,
        classifier=problem.classifier,
    )
    return splits.draws, range(len(splits.draws))


def _check_apart(question, draws, numbers):
    """Refuse splits that test on what they learn from."""
    groups = question.problem.groups
    for number in numbers:
        draw = draws[number]
        what = "a row" if groups is None else "a group"
        known, tested = draw.rows, draw.out_of_bag
        if groups is not None:
            known, tested = groups[known], groups[tested]
        both = np.intersect1d(known, tested)
        if len(both):
            good = "KFold" if groups is None else "GroupKFold"
            raise ValueError(
                f"`cv` must not test on {what} that it learns from. Got "
                f"{both.tolist()[0]!r} on both sides of split {number}; pass a "
                f"splitter that keeps them apart, such as {good}."
            )


def _losses(question, draws, numbers):
    """Mean losses of rows over the splits that test them.

    Returns
    -------
    losses : ndarray of shape (n_rows, n_outputs)
    tested : ndarray of shape (n_rows,), bool
    """
    n_rows = question.problem.n_rows
    sums, seen = np.zeros((n_rows, len(question.scale))), np.zeros(n_rows)
    for _, places, losses in question.read(draws, numbers, noun="fold"):
        rows = question.used[places]
        sums[rows] += losses
        seen[rows] += 1
    return sums / np.maximum(seen, 1)[:, None], seen > 0


def goes_forward(draws, numbers):
    """Whether all rows that a split learns from come before those that it tests.

    Parameters
    ----------
    draws : Draws
    numbers : range

    Returns
    -------
    bool
    """
    splits = (draws[number] for number in numbers)
    return all(draw.rows.max() < draw.out_of_bag.min() for draw in splits)


def block_sums(series):
    """Sums of a series over blocks of consecutive terms.

    Parameters
    ----------
    series : ndarray of shape (n,)

    Returns
    -------
    sums : ndarray of shape (n_blocks,)
        Of blocks that are long enough to be about independent, two at least.
    """
    # In units of its own, since a series of tiny numbers would pass for a constant.
    unit = np.abs(series).max()
    length = optimal_block_length(series / unit)[0] if unit > 0 else 1.0
    n_blocks = max(2, int(len(series) / np.ceil(length)))
    blocks = np.arange(len(series)) * n_blocks // len(series)
    return np.bincount(blocks, series)
