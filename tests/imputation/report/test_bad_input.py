"""What the report on an imputer refuses, and in which words."""

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genestimators import imputation_report
from tests.imputation.report.toys import Returns, table_of


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"share": 0.0}, ValueError, r"'share' parameter .* \(0.0, 1.0\)"),
        ({"share": 1.5}, ValueError, r"'share' parameter .* Got 1.5"),
        ({"share": 1}, TypeError, r"'share' parameter .* Got 1 instead"),
        ({"n_repeats": 0}, ValueError, r"'n_repeats' parameter .* Got 0"),
        ({"mechanism": "mnar"}, ValueError, r"'mechanism' parameter .* Got 'mnar'"),
        ({"confidence_level": 1.0}, ValueError, r"'confidence_level' parameter"),
        ({"imputer": object()}, TypeError, r"`fit` and `transform`"),
        ({"imputer": SimpleImputer}, TypeError, r"'imputer' parameter"),
        ({"X": np.zeros((5, 1))}, ValueError, r"at least two columns.* Got 1;"),
        ({"X": np.full((5, 2), np.nan)}, ValueError, r"X has none. Got 10 missing"),
        ({"X": np.where(np.eye(4), 1.0, np.nan)}, ValueError, r"no row of X has two"),
        ({"X": np.zeros(5)}, ValueError, r"a table of rows and columns"),
        ({"sample_weight": np.ones(120)}, ValueError, r"SimpleImputer takes none"),
        (
            {"X": np.zeros((9, 2)), "mechanism": "pattern"},
            ValueError,
            r"by the gaps of X, and X has none",
        ),
        (
            {"imputer": SimpleImputer(missing_values=-1)},
            ValueError,
            r"Got missing_values=-1; replace it in X by NaN",
        ),
    ],
)
def test_bad_input_is_told_in_a_sentence(change, error, match):
    """The rule, the value and the way out."""
    arguments = {"imputer": SimpleImputer(), "X": table_of()} | change
    with pytest.raises(error, match=match):
        imputation_report(**arguments)


def test_sparse_tables_are_refused():
    """What is not stored is zero there, not missing."""
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(TypeError, match=r"imputation_report takes no sparse X"):
        imputation_report(SimpleImputer(), sparse.csr_array(np.eye(4)))


def test_imputers_that_drop_columns_are_refused():
    """By default scikit-learn's drop columns without any value."""
    X = table_of()
    X[:, 1] = np.nan
    match = r"dropped column 1; scikit-learn's imputers .* keep_empty_features=True"
    with (
        pytest.warns(UserWarning, match="observed"),
        pytest.raises(ValueError, match=match),
    ):
        imputation_report(SimpleImputer(), X)
    shorter = Returns(lambda X: np.nan_to_num(X)[:, 1:])
    with pytest.raises(ValueError, match=r"Returns dropped some of them"):
        imputation_report(shorter, table_of())


def test_imputers_that_change_observed_values_are_refused():
    """Their errors would be in other units, or of other columns."""
    match = (
        r"observed values as they were.*Pipeline returned .* in column 0; take steps"
    )
    scaled = make_pipeline(StandardScaler(), SimpleImputer())
    with pytest.raises(ValueError, match=match):
        imputation_report(scaled, table_of())
    reordered = Returns(lambda X: np.nan_to_num(X)[:, ::-1])
    with pytest.raises(ValueError, match=r"Returns returned .* in column 0"):
        imputation_report(reordered, table_of())


def test_imputers_that_leave_gaps_are_refused():
    """Every masked entry has to be filled."""
    with pytest.raises(ValueError, match=r"left some of column 0 missing"):
        imputation_report(Returns(lambda X: X), table_of())


def test_an_error_of_the_imputer_keeps_its_type_and_says_where():
    """Mechanism and repeat are in a note."""

    def fails(X):
        if np.isnan(X).sum() > n_missing:
            raise ZeroDivisionError("by nothing")
        return np.nan_to_num(X)

    X = table_of()
    n_missing = np.isnan(X).sum()
    with pytest.raises(ZeroDivisionError) as caught:
        imputation_report(Returns(fails), X)
    assert "mechanism 'mcar', repeat 0" in caught.value.__notes__[-1]
