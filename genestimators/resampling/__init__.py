"""Which rows are drawn, and how often: bootstraps, groups, blocks, folds."""

from genestimators.resampling._bayesian import BayesianBootstrap
from genestimators.resampling._block import BlockBootstrap
from genestimators.resampling._bootstrap import Bootstrap
from genestimators.resampling._draws import Draw, Draws
from genestimators.resampling._folds import Folds
from genestimators.resampling._group import GroupBootstrap
from genestimators.resampling._repeated_folds import RepeatedFolds
from genestimators.resampling._resampler import Resampler
from genestimators.resampling._subsample import GroupSubsample, Subsample

__all__ = [
    "BayesianBootstrap",
    "BlockBootstrap",
    "Bootstrap",
    "Draw",
    "Draws",
    "Folds",
    "GroupBootstrap",
    "GroupSubsample",
    "RepeatedFolds",
    "Resampler",
    "Subsample",
]
