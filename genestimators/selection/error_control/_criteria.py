"""Rules that select units from evidence; none of them fits anything.

A rule is a function of the evidence and of the parameters that belong to it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from genestimators.selection._evidence import Evidence
from genestimators.selection.error_control._bounds import (
    expected_false_positives,
    integrated_scores,
    integrated_sizes,
    largest_size,
)
from genestimators.selection.error_control._q_values import pair_scores, q_values

DISCOVERY = ("fdr", "pfer", "pfer_unimodal", "pfer_r_concave", "pfer_integrated")
CRITERIA = ("prediction", *DISCOVERY, "frequency")
WITH_ALPHA = DISCOVERY
WITH_THRESHOLD = ("pfer", "pfer_unimodal", "pfer_r_concave", "frequency")
ALPHA = 0.1  # where no other is asked for
THRESHOLD = 0.75
_CUTOFF = 0.05  # of an integrated path, in expected false positives
_OF_PAIRS = ("pfer_unimodal", "pfer_r_concave", "pfer_integrated", "fdr")
_OF_HALVES = ("pfer",)


@dataclass(frozen=True, eq=False)
class Selected:
    """What a rule says about units.

    Units that are always kept are not put to the test: none of them is significant,
    they come first, and their figures are NaN.

    Attributes
    ----------
    significant : ndarray of shape (n_units,), bool
        The units that it selects.
    order : ndarray of shape (n_units,), int
        All units, the best first; those selected come first.
    size : int
        How many units of each draw count as selected there.
    frequencies : ndarray of shape (n_units,)
        Share of the draws in which a unit is among the first `size`.
    measure : ndarray of shape (n_units,)
        What is compared with the bar, and `bar`, where the rule has one.
    bar : float
    q_values : ndarray of shape (n_units,), or None
    bound : callable, or None
        Works out `expected_false_positives`, which a selection does without.
    """

    significant: np.ndarray
    order: np.ndarray
    size: int
    frequencies: np.ndarray
    measure: np.ndarray | None = None
    bar: float = np.nan
    q_values: np.ndarray | None = None
    bound: Callable[[], np.ndarray] | None = None

    @cached_property
    def expected_false_positives(self):
        """Expected number of false ones down to each unit, None without a bound."""
        return None if self.bound is None else self.bound()


def check_draws(criterion, *, paired, halving):
    """Refuse draws that a criterion does not hold for.

    Parameters
    ----------
    criterion : str
    paired : bool
        Whether draws 2k and 2k + 1 share no row.
    halving : bool
        Whether draws are subsamples of at most half of the rows.
    """
    what = None
    if criterion in _OF_PAIRS and not paired:
        what = "complementary pairs of subsamples"
    if criterion in _OF_HALVES and not halving:
        what = "subsamples of at most half of the rows"
    if what is not None:
        raise ValueError(
            f"criterion={criterion!r} rests on {what}; set "
            '`resampling="complementary_pairs"`, or choose criterion="prediction" or '
            '"frequency".'
        )


def least_alpha(criterion, threshold, n_units, n_pairs):
    """The least `alpha` at which a "pfer" criterion can select a unit at all.

    Parameters
    ----------
    criterion : str
    threshold : float or None
    n_units : int
        Of those that some draw has found a use for.
    n_pairs : int

    Returns
    -------
    alpha : float
    """
    if criterion == "pfer_integrated":
        return 1.0 / n_units  # the bound at the first size, where a path may end
    threshold = threshold or THRESHOLD
    return expected_false_positives(threshold, 1, n_units, criterion, n_pairs)


def best_size(evidence):
    """The number of units at which the mean out-of-sample loss is least."""
    if evidence.losses is None:
        return None
    return int(evidence.sizes[evidence.losses.mean(axis=0).argmin()])


def select(
    evidence, criterion, alpha=ALPHA, threshold=None, null_scores=None, forced=None
):
    """Apply a rule.

    Parameters
    ----------
    evidence : Evidence
    criterion : str
        One of `CRITERIA`.
    alpha : float
        The rate or the expected number that a discovery criterion keeps to.
    threshold : float or None
        A share of the draws; None is 0.75.
    null_scores : ndarray of shape (n_runs, n_draws, n_units), or None
        Of runs with permuted y, for "fdr".
    forced : ndarray of shape (n_units,), bool, default=None
        Units that are always kept, which come first in every draw. Rules are applied
        to the others alone.

    Returns
    -------
    selected : Selected
    """
    if forced is None or not forced.any():
        return _rule(evidence, criterion, alpha, threshold, null_scores)
    free, n_forced = np.flatnonzero(~forced), int(forced.sum())
    if not len(free):
        return _all_forced(evidence, criterion)
    if null_scores is not None:
        null_scores = null_scores[:, :, free]
    rest = _without(evidence, forced)
    found = _rule(rest, criterion, alpha, threshold, null_scores)
    significant = np.zeros(evidence.n_units, dtype=bool)
    significant[free] = found.significant
    first = evidence.order[forced[evidence.order]]
    size = n_forced + found.size
    widened = partial(_widened, free, evidence.n_units)
    return Selected(
        significant,
        np.r_[first, free[found.order]],
        size,
        _frequencies(evidence, size),
        measure=widened(found.measure),
        bar=found.bar,
        q_values=widened(found.q_values),
        bound=found.bound and partial(_widened_bound, found, free, evidence.n_units),
    )


def _widened(free, n_units, values):
    """Figures of the units that were put to the test, NaN for the others."""
    if values is None:
        return None
    wide = np.full(n_units, np.nan)
    wide[free] = values
    return wide


def _widened_bound(found, free, n_units):
    return _widened(free, n_units, found.expected_false_positives)


def _without(evidence, forced):
    """Evidence on the units that are not forced, next to those that are."""
    n_forced = int(forced.sum())
    place = np.cumsum(~forced) - 1
    known = evidence.sizes >= n_forced
    losses = evidence.losses
    return Evidence(
        evidence.ranks[:, ~forced] - n_forced,
        evidence.scores[:, ~forced],
        place[evidence.order[~forced[evidence.order]]],
        evidence.sizes[known] - n_forced,
        None if losses is None else losses[:, known],
        evidence.paired,
    )


def _all_forced(evidence, criterion):
    nothing = np.full(evidence.n_units, np.nan)
    return Selected(
        np.zeros(evidence.n_units, dtype=bool),
        evidence.order,
        evidence.n_units,
        np.ones(evidence.n_units),
        measure=nothing,
        q_values=nothing if criterion == "fdr" else None,
        bound=partial(np.copy, nothing) if "pfer" in criterion else None,
    )


def _rule(evidence, criterion, alpha, threshold, null_scores):
    if criterion == "prediction":
        return _by_prediction(evidence)
    if criterion == "fdr":
        return _by_rate(evidence, alpha, null_scores)
    if criterion == "pfer_integrated":
        return _among_used(evidence, _by_integral, alpha)
    if criterion == "frequency":
        size = best_size(evidence)
        if size is None:
            raise ValueError(
                'criterion="frequency" counts how often a unit is among those that '
                "predict best, and these draws leave no rows out to tell; use another "
                "`resampling`."
            )
        return _by_frequency(evidence, size, threshold or THRESHOLD)
    threshold = threshold or THRESHOLD
    return _among_used(evidence, _by_bound, criterion, alpha, threshold)


def _among_used(evidence, rule, *args):
    """A rule applied to the units that some draw has found a use for.

    The bounds ask how often a false unit would be kept by chance, of so many. Columns
    that cannot be kept, constants and copies, must not count among them: they would
    let every draw keep more.
    """
    n_units = evidence.n_units
    used = (evidence.ranks <= n_units).any(axis=0)
    if used.all():
        return rule(evidence, *args)
    n_used = int(used.sum())
    if not n_used:
        nothing = np.zeros(n_units)
        return Selected(
            nothing > 0,
            evidence.order,
            0,
            nothing,
            measure=nothing,
            bound=partial(np.full, n_units, float(n_units)),
        )
    places = np.flatnonzero(used)
    ranks = evidence.ranks[:, used]
    number = np.cumsum(used) - 1
    some = replace(
        evidence,
        ranks=np.where(ranks > n_units, n_used + 1, ranks),
        scores=evidence.scores[:, used],
        order=number[evidence.order[used[evidence.order]]],
    )
    found = rule(some, *args)
    significant = np.zeros(n_units, dtype=bool)
    significant[places] = found.significant

    def widened(values, rest):
        wide = np.full(n_units, rest)
        wide[places] = values
        return wide

    last = evidence.order[~used[evidence.order]]
    integral = rule is _by_integral
    return Selected(
        significant,
        np.r_[places[found.order], last],
        found.size,
        widened(found.frequencies, 0.0),
        measure=widened(found.measure, float(n_used) if integral else 0.0),
        bar=found.bar,
        bound=partial(_bound_among, found, places, n_units),
    )


def _bound_among(found, places, n_units):
    """Expected false positives: of all that are used, where the others are selected."""
    wide = np.full(n_units, float(len(places)))
    wide[places] = found.expected_false_positives
    return wide


def _by_prediction(evidence):
    size = best_size(evidence)
    if size is None:
        raise ValueError(
            'criterion="prediction" scores the rows that a draw leaves out, and these '
            "draws leave none out; use another `resampling`."
        )
    significant = np.zeros(evidence.n_units, dtype=bool)
    significant[evidence.order[:size]] = True
    return Selected(significant, evidence.order, size, _frequencies(evidence, size))


def _by_frequency(evidence, size, threshold):
    frequencies = _frequencies(evidence, size)
    # Shares of draws are multiples of 1 / n_draws; rounding must not lose one.
    significant = frequencies >= threshold - 1e-9
    order = _order(evidence, -frequencies)
    return Selected(
        significant, order, size, frequencies, measure=frequencies, bar=threshold
    )


def _by_bound(evidence, method, alpha, threshold):
    n_units, n_pairs = evidence.n_units, evidence.n_draws // 2
    size = largest_size(alpha, threshold, n_units, method, n_pairs)
    found = _by_frequency(evidence, size, threshold)
    if not size:
        return Selected(
            np.zeros(n_units, dtype=bool),
            evidence.order,
            0,
            found.frequencies,
            measure=found.frequencies,
            bar=threshold,
            bound=partial(np.full, n_units, float(n_units)),
        )
    return Selected(
        found.significant,
        found.order,
        size,
        found.frequencies,
        measure=found.frequencies,
        bar=threshold,
        bound=partial(
            expected_false_positives, found.frequencies, size, n_units, method, n_pairs
        ),
    )


def _by_integral(evidence, alpha):
    # Where the path ends must leave room below alpha, and may depend on it, as it is
    # chosen beforehand. A fixed end is that of the first size if units are few.
    cutoff = max(alpha / 4, min(_CUTOFF, alpha / 2))
    n_units, n_pairs = evidence.n_units, evidence.n_draws // 2
    sizes = np.arange(1, integrated_sizes(n_units, n_pairs, cutoff=cutoff) + 1)
    path = evidence.path(sizes)
    scores = integrated_scores(path, sizes, n_units, n_pairs, cutoff=cutoff)
    significant = scores <= alpha
    size = int(significant.sum())
    return Selected(
        significant,
        _order(evidence, scores),
        size,
        _frequencies(evidence, size),
        measure=scores,
        bar=alpha,
        bound=partial(np.copy, scores),
    )


def _by_rate(evidence, alpha, null_scores):
    scores = pair_scores(evidence.scores)
    found = q_values(scores, pair_scores(null_scores))
    significant = found <= alpha
    size = int(significant.sum())
    return Selected(
        significant,
        _order(evidence, found, -scores),
        size,
        _frequencies(evidence, size),
        measure=found,
        bar=alpha,
        q_values=found,
    )


def _frequencies(evidence, size):
    return evidence.path(np.array([size]))[0]


def _order(evidence, *keys):
    """Units by some keys, the least first, ties by the common order."""
    place = np.empty(evidence.n_units, dtype=int)
    place[evidence.order] = np.arange(evidence.n_units)
    return np.lexsort((place, *keys[::-1]))
