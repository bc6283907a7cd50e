"""The choice in words, as text, as HTML, as a dict."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from genestimators import AutoRegularizedCV
from genestimators.regularization._choice import Choice
from tests.bagging.toys import regression_data

CHOICE = Choice(
    param="alpha",
    value=10.0,
    score=0.75,
    score_std_error=0.02,
    gap=0.05,
    gap_std_error=0.01,
    best_value=1.0,
    best_score=0.76,
    best_gap=0.08,
    given_up=0.01,
    given_up_std_error=0.004,
    n_values=20,
    n_admissible=3,
    rule="gap",
    reason="it has the smallest gap",
    edge="",
)


def test_text_says_what_was_chosen_and_against_what():
    """Every number with its uncertainty."""
    text = str(CHOICE)
    for part in (
        "Chosen: alpha = 10, since it has the smallest gap.",
        "0.75 +- 0.02, gap 0.05 +- 0.01",
        "Against the best score, alpha = 1 (0.76, gap 0.08): 0.01 +- 0.004 given up",
        "the gap 0.03 smaller",
        "3 of 20 values were admissible to the rule 'gap'",
    ):
        assert part in text
    assert "end of the values" not in text


def test_text_without_what_is_not_known_or_not_needed():
    """The best value has nothing to be held against; an unknown error is not told."""
    text = str(replace(CHOICE, best_value=10.0))
    assert "Against" not in text
    assert "+-" not in str(
        replace(CHOICE, best_value=10.0, score_std_error=np.nan, gap_std_error=np.nan)
    )
    assert "alpha = None" in str(replace(CHOICE, value=None))
    assert "Against the best score, alpha = None" in str(
        replace(CHOICE, best_value=None)
    )


@pytest.mark.parametrize("edge", ["weakest", "strongest"])
def test_text_of_a_choice_at_the_edge(edge):
    """It says at which end."""
    assert f"at the {edge} end of the values" in str(replace(CHOICE, edge=edge))


def test_html_is_escaped():
    """A reason, or the name of a rule, may hold anything."""
    page = replace(CHOICE, reason="a < b & c", rule="<lambda>")._repr_html_()
    assert "a &lt; b &amp; c" in page
    assert "&lt;lambda&gt;" in page
    assert page.count("<li>") == len(str(CHOICE).split("\n"))


def test_dict_holds_plain_values():
    """As they are in the fitted search."""
    X, y = regression_data()
    own = AutoRegularizedCV(Ridge(), random_state=0).fit(X, y)
    fields = own.choice_.to_dict()
    assert all(type(value) in (str, int, float) for value in fields.values())
    assert fields["value"] == own.best_params_["alpha"]
    assert fields["score"] == own.best_score_
    assert fields["best_score"] == own.cv_results_["mean_test_score"].max()
    assert fields["n_admissible"] == own.cv_results_["admissible"].sum()
    assert fields["given_up"] == fields["best_score"] - fields["score"]
