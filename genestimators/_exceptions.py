"""Warnings of this library, one class for each thing that may mislead."""


class OutOfBagWarning(UserWarning):
    """Out-of-bag figures rest on few rows, or on none."""


class OneClassReplicateWarning(UserWarning):
    """Some replicates hold rows of one class only and predict it everywhere."""


class UnweightedScoreWarning(UserWarning):
    """A scorer takes no sample weights, so a score does not respect them."""
