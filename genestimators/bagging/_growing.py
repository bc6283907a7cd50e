"""Whether an ensemble may grow: the same data, the same draws, the same settings."""

import numpy as np
from sklearn.base import clone

from genestimators.resampling._hashing import digest
from genestimators.resampling._keys import content_keys


def fingerprint(plan):
    """A word that stands for X and y as they are, row by row."""
    return digest(content_keys(plan["X"], plan["y"], exact=True).tobytes())


def same_draws(draws, earlier):
    """Whether two resamplers draw the same rows with the same weights."""

    def equal(a, b):
        return a is b or (a is not None and b is not None and np.array_equal(a, b))

    ours, theirs = draws[0], earlier[0]
    return (
        type(draws) is type(earlier)
        and equal(ours.rows, theirs.rows)
        and equal(ours.counts, theirs.counts)
        and equal(ours.out_of_bag, theirs.out_of_bag)
        and equal(draws.row_weight, earlier.row_weight)
    )


def can_continue(earlier, wanted, n_members):
    """Whether the tally of an earlier fit holds what this one needs."""
    return (
        earlier is not None
        and not earlier.busy
        and earlier.writeable
        and earlier.n_added == n_members
        and earlier.aggregate == wanted.aggregate
        and earlier.figures == wanted.figures
        and (earlier.occurrences is None) == (wanted.occurrences is None)
    )


def settings_of(bag, plan):
    """What a bag must keep while it grows."""
    params = clone(plan["estimator"]).get_params(deep=True)
    resampler = plan["resampler"]
    drawn = resampler.get_params() if hasattr(resampler, "get_params") else {}
    return {
        "estimator": plan["estimator"],
        "resampler": plan["resampler"],
        **{f"resampler__{name}": value for name, value in drawn.items()},
        "max_features": bag.max_features,
        "early_stopping": bag.early_stopping,
        **{
            f"estimator__{name}": value
            for name, value in params.items()
            if name.rpartition("__")[2] not in ("n_jobs", "verbose")
        },
    }


def same_settings(ours, theirs):
    """Whether two dictionaries of parameters say the same."""

    def equal(a, b):
        if a is b:
            return True
        if hasattr(a, "fit") or hasattr(a, "prepare") or type(a) is not type(b):
            return type(a) is type(b)
        if isinstance(a, (list, tuple)):
            return len(a) == len(b) and all(map(equal, a, b))
        if isinstance(a, np.ndarray) and a.shape != b.shape:
            return False
        try:
            return bool(np.all((a == b) | ((a != a) & (b != b))))
        except (TypeError, ValueError):  # cannot be compared: taken as equal
            return True

    return ours.keys() == theirs.keys() and all(
        equal(ours[name], theirs[name]) for name in ours
    )
