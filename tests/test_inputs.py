"""Containers, rows, columns, and the checks of y, weights and groups."""

import numpy as np
import pytest
from scipy import sparse

from genestimators import _inputs

ROWS = np.array([3, 0, 0, 2])
TABLE = np.arange(12.0).reshape(4, 3)


def _frame(library):
    """The table as a frame of a library."""
    module = pytest.importorskip(library)
    columns = {name: TABLE[:, j] for j, name in enumerate("abc")}
    return module.table(columns) if library == "pyarrow" else module.DataFrame(columns)


def _values(frame):
    return np.column_stack(_inputs.frame_columns(frame))


@pytest.mark.parametrize("kind", [np.intp, np.int32])
@pytest.mark.parametrize(
    "X", [TABLE, TABLE[:, 0], np.arange(24).reshape(4, 3, 2), TABLE.astype(object)]
)
def test_take_rows_of_arrays(X, kind):
    """Arrays of any dimension, rows in the order asked for."""
    assert np.array_equal(_inputs.take_rows(X, ROWS.astype(kind)), X[ROWS])
    assert _inputs.n_rows_of(X) == 4


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix])
def test_take_of_sparse(container):
    """Sparse rows and columns stay sparse and of their class."""
    X = container(TABLE)
    rows = _inputs.take_rows(X, ROWS)
    assert type(rows) is type(X)
    assert np.array_equal(rows.toarray(), TABLE[ROWS])
    columns = _inputs.take_columns(X, np.array([2, 0]))
    assert np.array_equal(columns.toarray(), TABLE[:, [2, 0]])
    assert _inputs.n_rows_of(X) == 4


@pytest.mark.parametrize("kind", [np.intp, np.int32])
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_take_of_frames(library, kind):
    """Frames stay frames of their library, with their names."""
    X = _frame(library)
    assert _inputs.is_frame(X)
    rows = _inputs.take_rows(X, ROWS.astype(kind))
    assert type(rows) is type(X)
    assert np.array_equal(_values(rows), TABLE[ROWS])
    columns = _inputs.take_columns(X, np.array([2, 0], dtype=kind))
    assert type(columns) is type(X)
    assert np.array_equal(_values(columns), TABLE[:, [2, 0]])
    assert _inputs.n_rows_of(X) == 4
    assert _inputs.as_container(X) is X


def test_take_rows_goes_by_position_not_by_index():
    """The index of a pandas frame is no row number."""
    X = _frame("pandas").set_index(np.array([2, 2, 0, 0]))
    assert np.array_equal(_values(_inputs.take_rows(X, ROWS)), TABLE[ROWS])


def test_take_rows_keeps_column_types():
    """Categories, texts and nullable numbers are rows like any other."""
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(
        {
            "c": pd.Categorical(["u", "v", "u", None]),
            "t": ["a", None, "b", "c"],
            "n": pd.array([1, None, 3, 4], dtype="Int64"),
        }
    )
    assert (_inputs.take_rows(X, ROWS).dtypes == X.dtypes).all()
    category, text, number = _inputs.frame_columns(X)
    assert category.tolist()[:3] == ["u", "v", "u"]
    assert text[0] == "a"
    assert np.array_equal(number, [1.0, np.nan, 3.0, 4.0], equal_nan=True)


@pytest.mark.parametrize(
    "X", [["a b", "c", "", "d"], [["a"], ["b", "c"], [], ["d"]], ("a", "b", "c", "d")]
)
def test_take_rows_of_sequences(X):
    """Texts and lists of tokens are rows too."""
    assert _inputs.take_rows(X, ROWS) == [X[3], X[0], X[0], X[2]]
    assert _inputs.as_container(X) is X
    assert _inputs.n_rows_of(X) == 4


def test_frame_columns_of_other_things():
    """An array is no frame."""
    assert _inputs.frame_columns(TABLE) is None
    assert not _inputs.is_frame(TABLE)
    assert not _inputs.is_frame(sparse.csr_array(TABLE))
    assert not _inputs.is_frame([[1.0]])


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_named_column_of_frames(library):
    """By name, or by position."""
    X = _frame(library)
    for name in ("b", 1):
        assert np.array_equal(_inputs.named_column(X, name), TABLE[:, 1])
    with pytest.raises(
        ValueError,
        match=r"A column named 'd' is asked for, and X has no such column; pass a "
        r"frame that has it, or the column's position\. Got columns \['a', 'b', 'c'\]",
    ):
        _inputs.named_column(X, "d")


def test_named_column_of_other_tables():
    """Arrays, sparse matrices and nested lists have columns by position alone."""
    for X in (TABLE, TABLE.tolist(), sparse.csr_array(TABLE), sparse.csc_matrix(TABLE)):
        assert np.array_equal(_inputs.named_column(X, 2), TABLE[:, 2])
    with pytest.raises(ValueError, match=r"A column named 'a' .* Got columns None\."):
        _inputs.named_column(TABLE, "a")


def test_as_container_makes_arrays_of_numbers():
    """Nested lists of numbers become an array, sparse formats become CSR."""
    assert np.array_equal(_inputs.as_container(TABLE.tolist()), TABLE)
    assert _inputs.as_container(sparse.csc_array(TABLE)).format == "csr"
    csr = sparse.csr_array(TABLE)
    assert _inputs.as_container(csr) is csr
    assert _inputs.as_container(TABLE) is TABLE

    class Holder:
        def __array__(self, dtype=None, copy=None):
            return TABLE

    assert np.array_equal(_inputs.as_container(Holder()), TABLE)


def test_as_container_copies_strided_views():
    """What they show lies in one piece, in the order it had, masks included."""
    for order in "CF":
        table = np.asarray(np.arange(24.0).reshape(4, 6), order=order)
        assert _inputs.as_container(table) is table
        assert _inputs.as_container(table[:1]).flags.forc
        view = table[1:, ::2]
        assert _inputs.as_container(view).flags.forc
        assert np.array_equal(_inputs.as_container(view), view)
    masked = np.ma.masked_greater(TABLE, TABLE.mean())[:, ::2]
    assert np.array_equal(_inputs.as_container(masked).mask, masked.mask)


@pytest.mark.parametrize(
    ("X", "error", "words"),
    [
        ("a text", TypeError, r"or a sequence of rows\. Got str instead\."),
        (3, TypeError, r"X must be an array, .*\. Got int instead\."),
        (np.array(3), ValueError, r"Got a scalar array instead: array\(3\)\."),
    ],
)
def test_as_container_refuses(X, error, words):
    """What has no rows is refused in one sentence."""
    with pytest.raises(error, match=words):
        _inputs.as_container(X)


def test_check_n_rows():
    """Nothing, and too little, to resample."""
    assert _inputs.check_n_rows(TABLE, minimum=2, name="Bag") == 4
    with pytest.raises(
        ValueError,
        match=r"Found array with 0 sample\(s\) while a minimum of 2 is required by B",
    ):
        _inputs.check_n_rows(TABLE[:0], minimum=2, name="Bag")
    with pytest.raises(
        ValueError,
        match=r"Bag needs at least 2 rows to resample\. Got n_samples = 1; fit the est",
    ):
        _inputs.check_n_rows(TABLE[:1], minimum=2, name="Bag")


def test_check_y_returns_arrays():
    """Lists and frames become arrays; a regressor's target becomes numbers."""
    assert _inputs.check_y([1, 2], 2, classifier=False).tolist() == [1, 2]
    assert _inputs.check_y(["b", "a"], 2, classifier=True).tolist() == ["b", "a"]
    numbers = _inputs.check_y(np.array([1, 2.5], dtype=object), 2, classifier=False)
    assert numbers.dtype == np.float64
    assert _inputs.check_y(np.ones((3, 2)), 3, classifier=False).shape == (3, 2)
    assert _inputs.check_y(np.ones((0, 2)), 0, classifier=False).shape == (0, 2)


def test_check_y_of_one_column_warns():
    """A column is flattened, with scikit-learn's warning."""
    with pytest.warns(UserWarning, match="column-vector y was passed"):
        y = _inputs.check_y(np.ones((3, 1)), 3, classifier=False)
    assert y.shape == (3,)


def _objects(*values):
    return np.array(values, dtype=object)


@pytest.mark.parametrize(
    ("y", "classifier", "words"),
    [
        (
            [1, 2, 3],
            False,
            r"the same number of rows\. Got 2 and 3: inconsistent numbe",
        ),
        ([1.0, np.nan], False, "Input y contains NaN"),
        ([1.0, np.inf], False, "Input y contains infinity"),
        (np.array([1.0, None]), False, "Input y contains NaN"),
        (np.ones((2, 2, 2)), False, r"one or two dimensions|Found array with dim 3"),
        (["a", "b"], False, r"y must hold numbers for a regressor\. Got 'a' among"),
        ([0.1, 0.2], True, "Unknown label type"),
        (_objects(1, "a"), True, r"of one kind.*Got int, str in an array of objects"),
        (_objects("a", None), True, "Got NoneType, str in.*write all labels as text"),
        (_objects(1, None), True, "Got NoneType, int in an array of objects"),
        (_objects(1, 2), True, "Got int in an array.*or pass an array of numbers"),
    ],
)
def test_check_y_refuses(y, classifier, words):
    """Wrong length, missing numbers, too many dimensions, texts for a regressor."""
    with pytest.raises(ValueError, match=words):
        _inputs.check_y(y, 2, classifier=classifier)


def test_check_sample_weight_returns_floats():
    """Weights as float64, a scalar for all rows, None for none."""
    assert _inputs.check_sample_weight(None, 2) is None
    assert _inputs.check_sample_weight(3, 2).tolist() == [3.0, 3.0]
    weight = _inputs.check_sample_weight([0, 1], 2)
    assert weight.dtype == np.float64


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        ([1, 2, 3], r"one weight for each of the 2 rows of X\. Got 3 \(sample_weight"),
        (np.ones((2, 1)), r"must be one-dimensional .*Got shape \(2, 1\)\."),
        ([1.0, -0.5], r"must not be negative .*Got -0\.5 as its least value\."),
        ([0.0, 0.0], r"at least one weight has to be positive\. Got 2 weights of zero"),
        (0, r"must not be zero for every row"),
        ([1.0, np.nan], "Input sample_weight contains NaN"),
        ([1.0, np.inf], "Input sample_weight contains infinity"),
    ],
)
def test_check_sample_weight_refuses(weight, words):
    """One weight a row, finite, not negative, not all zero."""
    with pytest.raises(ValueError, match=words):
        _inputs.check_sample_weight(weight, 2)


def test_check_groups():
    """One label a row, in a list, an array or one column."""
    assert _inputs.check_groups(["a", "b"], 2).tolist() == ["a", "b"]
    assert _inputs.check_groups([[1], [2]], 2).tolist() == [1, 2]
    with pytest.raises(
        ValueError,
        match=r"`groups` must hold one label for each of the 3 rows of X\. Got an "
        r"array of shape \(2,\)\.",
    ):
        _inputs.check_groups(["a", "b"], 3)


def test_missing_labels():
    """None, NaN and NA are no labels."""
    pd = pytest.importorskip("pandas")
    for label in (None, np.nan, pd.NA, pd.NaT):
        assert _inputs.is_missing(label)
        with pytest.raises(ValueError, match="must not have missing labels"):
            _inputs.check_groups(np.array(["a", label], dtype=object), 2)
    for label in ("", 0, False, np.str_("nan"), ("a", 1)):
        assert not _inputs.is_missing(label)
