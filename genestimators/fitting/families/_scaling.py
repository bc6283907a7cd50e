"""What the scalers in front of the members of an ensemble have learned."""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from genestimators.fitting.families.linear._linear import is_flag


@dataclass(frozen=True, eq=False)
class Scaling:
    """What the scalers of some members have learned.

    Attributes
    ----------
    mean, variance, offset, scale : ndarray of shape (n_values, p)
        Columns become ``(x - offset) / scale``.
    weight : ndarray of shape (n_values,)
    """

    mean: np.ndarray
    variance: np.ndarray
    offset: np.ndarray
    scale: np.ndarray
    weight: np.ndarray

    def take(self, which):
        """Those of some members."""
        return replace(self, **{name: own[which] for name, own in vars(self).items()})

    def joined(self, others):
        """Those of these members and of others."""
        every = [vars(one) for one in (self, *others)]
        return Scaling(
            **{name: np.concatenate([one[name] for one in every]) for name in every[0]}
        )

    def scaler(self, fitted):
        """A fitted scaler that has learned this, of one member.

        Parameters
        ----------
        fitted : StandardScaler
            Fitted, perhaps on other rows; a copy of it is changed.
        """
        scaler = copy(fitted)
        known = {"mean_": self.mean, "var_": self.variance, "scale_": self.scale}
        for name, value in known.items():
            if getattr(scaler, name, None) is not None:
                setattr(scaler, name, value)
        scaler.n_samples_seen_ = self.weight
        return scaler


def plain_scaler(scaler):
    """Whether there is no scaler, or one with plain settings that does something."""
    if scaler is None:
        return True
    if not (is_flag(scaler.with_mean) and is_flag(scaler.with_std)):
        return False
    return bool(scaler.with_mean or scaler.with_std)  # else it counts rows, not weights
