"""From the name of a way to resample, or an object, to the object."""

from genestimators.resampling._bayesian import BayesianBootstrap
from genestimators.resampling._block import BlockBootstrap
from genestimators.resampling._bootstrap import Bootstrap
from genestimators.resampling._group import GroupBootstrap
from genestimators.resampling._subsample import Subsample

RESAMPLERS = {
    "bootstrap": Bootstrap,
    "group": GroupBootstrap,
    "block": BlockBootstrap,
    "bayesian": BayesianBootstrap,
    "subsample": Subsample,
}


def resolve_resampler(resampling, max_samples):
    """The resampler that a name, or an object, and `max_samples` ask for.

    Parameters
    ----------
    resampling : str or resampler
    max_samples : float or int
        1.0 is the default and asks for nothing.

    Raises
    ------
    ValueError
        If `max_samples` does not go with the resampler.
    """
    default = isinstance(max_samples, float) and max_samples == 1.0
    if not isinstance(resampling, str):
        if not default:
            raise ValueError(
                "`max_samples` belongs to a resampler given by name; set it on the "
                "object passed as `resampling`. "
                f"Got max_samples={max_samples!r} with {resampling!r}."
            )
        return resampling
    kind = RESAMPLERS[resampling]
    if default:
        return kind()
    if resampling == "bayesian":
        raise ValueError(
            '`max_samples` has no meaning with `resampling="bayesian"`, which uses '
            f"every row; leave it at 1.0. Got {max_samples!r}."
        )
    if resampling == "subsample":
        if not isinstance(max_samples, float):
            raise ValueError(
                '`max_samples` is the fraction of `resampling="subsample"` and must be '
                f"a float in the range (0.0, 1.0). Got {max_samples!r}."
            )
        return kind(fraction=max_samples)
    return kind(max_samples=max_samples)
