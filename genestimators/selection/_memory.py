"""Evidence found again by the content of all that it depends on."""

from pickle import PicklingError

import joblib
from sklearn.utils.validation import check_memory

from genestimators.selection._gather import gather, gather_null

RUNS = 20  # with permuted y that are made, and found, together; see `blocks`


def word_of(request):
    """A word for a request, so that its data are looked at once for many look-ups."""
    try:
        return joblib.hash(request)
    except PicklingError as error:
        raise ValueError(
            "`memory` finds fits by the content of all parameters, which must be "
            "picklable (functions defined in a module, not lambdas); change them, or "
            "set `memory=None`."
        ) from error


def remembered_evidence(memory, word, request, *, n_jobs, verbose, owner):
    """Evidence and engine, from the memory if it has them (None has nothing)."""
    ignore = ["request", "n_jobs", "verbose", "owner"]
    found = _evidence if memory is None else _cached(memory, _evidence, ignore)
    return found(word, request, n_jobs, verbose, owner)


def remembered_null(memory, word, request, block, *, n_jobs):
    """Scores of a block of runs with permuted y, likewise."""
    found = _null if memory is None else _cached(memory, _null, ["request", "n_jobs"])
    return found(word, request, block, n_jobs)


def blocks(first, last):
    """The blocks that make up runs `first`, ..., `last - 1`, and some more.

    Runs are always made by the same blocks, so that one rate can go on where another
    one has stopped, and no run depends on which rates were asked for before. The first
    block ends where a rate of 0.05 can be told.

    Parameters
    ----------
    first : int
        Where a block begins.
    last : int

    Returns
    -------
    blocks : list of (int, int)
        The first run of each, and the one after its last.
    """
    found = []
    while first < last:
        end = RUNS * (first // RUNS + 1) - 1
        end = end if end > first else end + RUNS
        found.append((first, end))
        first = end
    return found


def _cached(memory, function, ignore):
    return check_memory(memory).cache(function, ignore=ignore)


def _evidence(word, request, n_jobs, verbose, owner):
    return gather(request, n_jobs=n_jobs, verbose=verbose, owner=owner)


def _null(word, request, block, n_jobs):
    return gather_null(request, range(*block), n_jobs=n_jobs)
