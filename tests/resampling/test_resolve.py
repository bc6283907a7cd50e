"""From a name and `max_samples` to a resampler."""

import pytest

from genestimators import (
    BayesianBootstrap,
    BlockBootstrap,
    Bootstrap,
    GroupBootstrap,
    Subsample,
)
from genestimators.resampling._resolve import RESAMPLERS, resolve_resampler


@pytest.mark.parametrize("name", RESAMPLERS)
def test_names_resolve_to_defaults(name):
    """A name alone is the resampler as it comes."""
    resampler = resolve_resampler(name, 1.0)
    assert type(resampler) is RESAMPLERS[name]
    assert resampler.get_params() == RESAMPLERS[name]().get_params()


@pytest.mark.parametrize(
    ("name", "max_samples", "kind", "parameter"),
    [
        ("bootstrap", 0.5, Bootstrap, "max_samples"),
        ("bootstrap", 7, Bootstrap, "max_samples"),
        ("group", 3, GroupBootstrap, "max_samples"),
        ("block", 0.5, BlockBootstrap, "max_samples"),
        ("subsample", 0.3, Subsample, "fraction"),
    ],
)
def test_max_samples_reaches_the_resampler(name, max_samples, kind, parameter):
    """`max_samples` is the parameter that says how much to draw."""
    resampler = resolve_resampler(name, max_samples)
    assert type(resampler) is kind
    assert getattr(resampler, parameter) == max_samples


def test_objects_stay_what_they_are():
    """A resampler is used as it is given."""
    resampler = Bootstrap(max_samples=0.5)
    assert resolve_resampler(resampler, 1.0) is resampler


@pytest.mark.parametrize(
    ("resampling", "max_samples", "words"),
    [
        (
            Bootstrap(),
            0.5,
            r"set it on the object passed as `resampling`\. Got max_samples=0\.5 with",
        ),
        (
            BayesianBootstrap(),
            1,
            r"`max_samples` belongs to a resampler given by name.*Got max_samples=1 ",
        ),
        (
            "bayesian",
            0.5,
            r'no meaning with `resampling="bayesian"`.*leave it at 1\.0\. Got 0\.5\.',
        ),
        (
            "subsample",
            5,
            r"must be a float in the range \(0\.0, 1\.0\)\. Got 5\.",
        ),
    ],
)
def test_max_samples_that_does_not_go(resampling, max_samples, words):
    """Parameters that make no sense together raise."""
    with pytest.raises(ValueError, match=words):
        resolve_resampler(resampling, max_samples)
