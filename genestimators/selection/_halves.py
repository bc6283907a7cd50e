"""The draws that evidence rests on: complementary halves, or those of a resampler."""

import numpy as np

from genestimators.resampling import Draw, Draws, Subsample
from genestimators.resampling._draws import Occurrences
from genestimators.resampling._hashing import derive
from genestimators.resampling._keys import column_keys
from genestimators.resampling._subsample import SubsampleDraws
from genestimators.selection._targets import are_counts

_TRIES = 50  # pairs of halves for each that is wanted, until every class is in both


def is_paired(resampling):
    """Whether draws 2k and 2k + 1 share no row."""
    if isinstance(resampling, str):
        return True
    return isinstance(resampling, Subsample) and resampling.complementary_pairs


def is_halving(resampling):
    """Whether draws are subsamples of at most half of the rows."""
    if isinstance(resampling, str):
        return True
    return isinstance(resampling, Subsample) and resampling.fraction <= 0.5


def plan_draws(resampling, n_resamples, X, y, weight, groups, *, classifier, seed):
    """All draws, their rows as places among the occurrences.

    Parameters
    ----------
    resampling : "complementary_pairs" or resampler
    n_resamples : int
        Pairs, or draws of a resampler (fewer where it has no more).
    X : container of n rows
    y : ndarray of shape (n,) or (n, n_outputs)
    weight, groups : ndarray of shape (n,) or None
        Whole weights are numbers of rows; if any is not whole, a row is drawn once
        and has all of its weight where it is. With pairs, rows of a group are in one
        half together.
    classifier : bool
        Both halves of a pair then hold every class.
    seed : int

    Returns
    -------
    rows : ndarray of shape (m,), int
        The row of each occurrence, in an order that the order of X does not change.
    draws : tuple of Draw
        Its rows index the occurrences.
    """
    paired = is_paired(resampling)
    if isinstance(resampling, str):
        resampling = Subsample(complementary_pairs=True)
    seed = derive(seed, "draws")
    plan = resampling.prepare(
        X,
        y,
        weight,
        groups,
        seed,
        classifier=classifier,
        weight_mode="frequency" if are_counts(weight) else "importance",
    )
    rows = plan.occurrences.rows
    if not paired:
        n_draws = n_resamples if plan.limit is None else min(n_resamples, plan.limit)
        return rows, tuple(_draw(plan, number) for number in range(n_draws))
    counts_of = plan.counts_of
    if groups is not None:
        counts_of = _group_halves(resampling.fraction, groups[rows], seed)
    codes = _class_codes(y[rows]) if classifier else []
    if groups is not None:
        _check_classes_of_groups(codes, groups[rows])
    draws = []
    for number in range(_TRIES * n_resamples):
        pair = [counts_of(2 * number), counts_of(2 * number + 1)]
        if all(_holds_all(counts, own) for counts in pair for own in codes):
            draws += [_of_counts(plan, counts, counts > 0) for counts in pair]
        if len(draws) == 2 * n_resamples:
            return rows, tuple(draws)
    raise ValueError(
        "Both halves of a pair must hold every class of every output, and hardly any "
        f"do: {len(draws) // 2} of {_TRIES * n_resamples} pairs; leave out rare "
        "classes, join them with others, or draw larger subsamples."
    )


def _draw(plan, number):
    """A draw of any resampler."""
    if type(plan).counts_of is not Draws.counts_of:
        counts = plan.counts_of(number)
        return _of_counts(plan, counts, plan.seen(counts))
    draw = plan[number]  # folds, whose occurrences are the rows
    place = np.zeros(plan.n_rows, dtype=int)
    place[plan.occurrences.rows] = np.arange(len(plan.occurrences.rows))
    out = place[draw.out_of_bag]
    return Draw(place[draw.rows], draw.counts, out, draw.out_of_bag_counts, out)


def _of_counts(plan, counts, seen):
    weights = plan.occurrences.weights
    own = np.ones(len(counts)) if weights is None else weights
    if plan.importance is not None:
        own = own * plan.importance[plan.occurrences.rows]
    rows = np.flatnonzero(counts > 0)
    out = np.flatnonzero(~seen) if plan.has_out_of_bag else rows[:0]
    draw = Draw(rows, counts[rows] * own[rows], out, own[out], out)
    return _checked(draw, len(counts))


def _checked(draw, n_rows):
    if not len(draw.rows):
        raise ValueError(
            "Every draw must hold rows, and one holds none; pass more rows, or a "
            f"resampler that draws a larger part of them. Got {n_rows} rows."
        )
    return draw


def _group_halves(fraction, groups, seed):
    """Complementary parts of whole groups: a function from a number to counts."""
    # Groups are told apart by their hash, so their order does not matter.
    units, place = np.unique(column_keys(groups), return_inverse=True)
    if len(units) < 2:
        raise ValueError(
            "`groups` must have at least two different labels, one for each half. Got "
            f"one, {groups.tolist()[0]!r}."
        )
    every = np.arange(len(units))
    draws = SubsampleDraws(
        Occurrences(every, units, None),
        len(units),
        seed,
        strata=[every],
        fraction=fraction,
        pairs=True,
    )
    return lambda number: draws.counts_of(number)[place]


def _class_codes(y):
    """The classes of each output, numbered from 0."""
    outputs = y[:, None] if y.ndim == 1 else y
    return [np.unique(output, return_inverse=True)[1] for output in outputs.T]


def _holds_all(counts, codes):
    return len(np.unique(codes[counts > 0])) == codes.max() + 1


def _check_classes_of_groups(codes, groups):
    """Refuse classes that are in one group only."""
    groups = np.unique(column_keys(groups), return_inverse=True)[1]
    for own in codes:
        together = np.unique(np.stack([own, groups], axis=1), axis=0)
        n_groups = np.bincount(together[:, 0])
        if n_groups.min() < 2:
            raise ValueError(
                "Each half of the groups must hold every class, so a class needs rows "
                f"in at least two groups. Got {(n_groups < 2).sum()} of "
                f"{len(n_groups)} classes in one group only; leave them out, or pass "
                "no groups."
            )
