"""Row keys: what makes two rows the same row, and what leaves a key as it is."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from genestimators.resampling import Bootstrap
from genestimators.resampling._keys import (
    KEY_VERSION,
    column_keys,
    content_keys,
)

NUMBERS = np.array([[0.0, 1.5], [-2.0, np.nan], [3.0, 0.0], [0.0, 1.5]])
TEXTS = np.array([["a", "b"], ["a", ""], ["c", "d"]])
MIXED = np.array([[1, "x", None], [2.5, "y", True], [None, "x", 4]], dtype=object)


def same(a, b):
    """Whether two tables have the same keys, row by row."""
    return np.array_equal(content_keys(a), content_keys(b))


TABLES = {
    "numbers": (NUMBERS, None),
    "numbers and classes": (NUMBERS, np.array([0, 1, 0, 1])),
    "texts and labels": (TEXTS, np.array(["u", "v", "u"])),
    "mixed objects": (MIXED, np.array([0.25, -1.0, 7.0])),
    "list of texts": (["one text", "another"], None),
}
GOLDEN_KEYS = {
    "numbers": [
        11647318047762426570,
        8418429166421395711,
        13446474661604288817,
        11647318047762426570,
    ],
    "numbers and classes": [
        11647318047762426570,
        4210490257701532823,
        13446474661604288817,
        5675226797256415143,
    ],
    "texts and labels": [
        2062204763027393827,
        4416679880488783704,
        14945652657326094832,
    ],
    "mixed objects": [7399731728337676884, 2722375558292333434, 5753011126203706052],
    "list of texts": [6412147246849611651, 7618164976532576725],
}
DRAWN = {
    "numbers": (np.arange(16.0).reshape(8, 2), np.arange(8.0), False),
    "texts": (np.array([*"abcdefgh"])[:, None], np.array([*"uvuvuvuv"]), True),
    "mixed objects": (MIXED, np.array([0.25, -1.0, 7.0]), False),
}
GOLDEN_COUNTS = {
    "numbers": [
        [2, 0, 0, 3, 0, 0, 1, 2],
        [1, 2, 1, 1, 1, 1, 1, 0],
        [3, 1, 0, 2, 0, 2, 0, 0],
    ],
    "texts": [
        [0, 0, 0, 1, 0, 0, 4, 3],
        [3, 1, 0, 1, 0, 1, 1, 1],
        [1, 0, 1, 1, 0, 2, 2, 1],
    ],
    "mixed objects": [[0, 3, 0], [0, 1, 2], [2, 0, 1]],
}


@pytest.mark.parametrize("name", TABLES)
def test_keys_golden(name):
    """Keys are fixed; where they change on purpose, KEY_VERSION is raised."""
    assert KEY_VERSION == 1
    assert content_keys(*TABLES[name]).tolist() == GOLDEN_KEYS[name]


@pytest.mark.parametrize("name", DRAWN)
def test_counts_golden(name):
    """The counts of draws 0, 1 and 2 are fixed as well."""
    X, y, classifier = DRAWN[name]
    draws = Bootstrap().prepare(X, y, seed=5, classifier=classifier)
    found = []
    for number in range(3):
        counts = np.zeros(len(y), dtype=int)
        counts[draws[number].rows] = draws[number].counts
        found.append(counts.tolist())
    assert draws.version == KEY_VERSION
    assert found == GOLDEN_COUNTS[name]


def _with_explicit_zeros(X, container):
    coo = sparse.coo_array(np.where(X == 0, -1.0, X))
    data = np.where(coo.data == -1.0, 0.0, coo.data)
    return container((data, (coo.row, coo.col)), shape=X.shape)


@pytest.mark.parametrize(
    "container",
    [
        sparse.csr_array,
        sparse.csr_matrix,
        sparse.csc_array,
        sparse.csc_matrix,
        sparse.coo_array,
        sparse.lil_array,
    ],
)
def test_keys_of_sparse_equal_dense(container):
    """A sparse table and its dense copy hold the same rows."""
    rng = np.random.default_rng(0)
    X = np.where(rng.random((60, 7)) < 0.3, rng.normal(size=(60, 7)), 0.0)
    X[[0, 17, 59]] = 0.0  # empty rows
    X[:, 3] = 0.0  # an empty column
    X[:, 4] = rng.normal(size=60) + 5  # a full one
    X[5, 1] = np.nan
    X[6, 2] = -0.0
    assert same(container(X), X)
    assert np.array_equal(
        content_keys(container(X), exact=True), content_keys(X, exact=True)
    )
    keep = rng.random(60) < 0.5
    assert np.array_equal(
        content_keys(container(X), keep=keep), content_keys(X, keep=keep)
    )


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
def test_keys_of_sparse_explicit_zeros(container):
    """Zeros that are stored count as the zeros that are not."""
    X = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0], [0.0, 0.0, 0.0]])
    stored = _with_explicit_zeros(X, container)
    assert stored.nnz == X.size
    assert same(stored, X)


def test_keys_of_sparse_duplicate_entries():
    """Entries stored twice add up, and the caller's matrix is left as it was."""
    entries = ([1.0, 2.0, 4.0], ([0, 0, 1], [1, 1, 0]))
    coo = sparse.coo_array(entries, shape=(3, 2))
    assert same(coo, coo.toarray())
    csr = sparse.csr_array(
        (np.array([1.0, 2.0, 4.0]), np.array([1, 1, 0]), np.array([0, 2, 3, 3])),
        shape=(3, 2),
    )
    assert not csr.has_canonical_format
    assert same(csr, np.array([[0.0, 3.0], [4.0, 0.0], [0.0, 0.0]]))
    assert csr.nnz == 3


def test_keys_of_pandas_equal_numpy():
    """Numbers in a frame are the numbers in an array, nullable or not."""
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(NUMBERS, columns=["a", "b"])
    assert same(frame, NUMBERS)
    assert same(frame.convert_dtypes(), NUMBERS)
    assert same(frame.astype(object), NUMBERS)
    assert same(frame.set_index(np.arange(4)[::-1]), NUMBERS)
    assert same(frame.astype(pd.SparseDtype(float)), NUMBERS)


def test_keys_of_polars_equal_numpy():
    """Numbers in a polars frame are the numbers in an array, nulls being NaN."""
    pl = pytest.importorskip("polars")
    assert same(pl.DataFrame(NUMBERS), NUMBERS)
    nulls = pl.DataFrame({"a": [0, -2, 3, 0], "b": [1.5, None, 0.0, 1.5]})
    assert same(nulls, NUMBERS)
    flags = pl.DataFrame({"a": [True, False, None]})
    assert same(flags, np.array([[1.0], [0.0], [np.nan]]))


def test_keys_of_pyarrow_equal_numpy():
    """Numbers in a pyarrow table are the numbers in an array."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [0, -2, 3, 0], "b": [1.5, None, 0.0, 1.5]})
    assert same(table, NUMBERS)


def test_keys_of_text_frames_are_alike():
    """Text, missing values and numbers side by side: any frame, or an object array."""
    pd = pytest.importorskip("pandas")
    pl = pytest.importorskip("polars")
    columns = {"n": [1.0, 2.5, None], "t": ["x", None, "y"], "b": [True, False, True]}
    rows = np.array(list(zip(*columns.values(), strict=True)), dtype=object)
    frame = pd.DataFrame(columns)
    assert same(frame, rows)
    assert same(pl.DataFrame(columns), rows)
    assert same(frame.astype({"t": "category"}), rows)
    assert same(frame.astype({"t": "string"}), rows)


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int32, np.uint8, object])
def test_keys_do_not_depend_on_the_number_type(kind):
    """Numbers are taken as float64, so whole numbers are the same in every type."""
    X = np.arange(40.0).reshape(10, 4)
    assert same(X.astype(kind), X)


def test_keys_of_float32_equal_their_float64():
    """A float32 column has the keys of the same values in float64."""
    X = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    assert same(X, X.astype(np.float64))


def test_keys_of_booleans_are_those_of_zero_and_one():
    """True is 1, False is 0."""
    X = np.random.default_rng(0).random((20, 3)) < 0.5
    assert same(X, X.astype(int))
    assert same(X.astype(object), X)


def test_keys_of_memory_layout():
    """Strides and order in memory are no content."""
    X = np.random.default_rng(0).normal(size=(50, 6))
    assert same(np.asfortranarray(X), X)
    assert same(np.repeat(X, 2, axis=1)[:, ::2], X)


def test_keys_of_minus_zero():
    """-0.0 and 0.0 are one number, alone and in a sparse matrix."""
    X = np.array([[0.0, 1.0], [2.0, 0.0]])
    minus = np.where(X == 0, -0.0, X)
    assert same(minus, X)
    assert np.array_equal(content_keys(minus, exact=True), content_keys(X, exact=True))


def test_keys_of_every_nan_are_alike():
    """The bits behind a NaN (sign, payload) are no content."""
    bits = [0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 2**63 - 1]
    X = np.array(bits, dtype=np.uint64).view(np.float64)[:, None]
    X = np.hstack([X, np.ones((4, 1))])
    for exact in (False, True):
        assert len(np.unique(content_keys(X, exact=exact))) == 1


@pytest.mark.parametrize("table", [NUMBERS[:, :1], np.array([["a"], ["b"]])])
def test_keys_of_missing_values_in_objects(table):
    """None, NaN and NA in an object column are one missing value."""
    missing = [None, float("nan"), np.float32("nan")]
    pandas = pytest.importorskip("pandas")
    missing.append(pandas.NA)
    keys = {
        tuple(content_keys(np.array([*table[:, 0], value], dtype=object)).tolist())
        for value in missing
    }
    assert len(keys) == 1


def test_keys_of_infinite_numbers():
    """Infinite numbers are told apart and do not widen the grid of the others."""
    X = np.array([[np.inf], [-np.inf], [0.0], [1.0], [1e-3], [np.nan]])
    keys = content_keys(X)
    assert len(np.unique(keys)) == 6
    assert np.array_equal(keys[2:5], content_keys(X[2:5]))


def test_keys_tell_columns_and_target_apart():
    """The same number elsewhere is another row."""
    X = np.array([[1.0, 2.0], [2.0, 1.0]])
    keys = content_keys(X)
    assert keys[0] != keys[1]
    assert content_keys(X[:, :1], np.array([2.0, 1.0])).tolist() != keys.tolist()
    assert content_keys(X, X[:, 0]).tolist() != keys.tolist()


def test_keys_of_cells_that_hold_lists():
    """Cells may hold lists, dictionaries or arrays: embeddings, tokens."""
    cells = np.empty(4, dtype=object)
    cells[:] = [[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [2.0, 1.0]]
    keys = content_keys(cells)
    assert keys[0] == keys[2]
    assert len(np.unique(keys)) == 3
    arrays = np.empty(4, dtype=object)
    arrays[:] = [np.array(cell) for cell in cells]
    assert np.array_equal(content_keys(arrays), keys)
    tokens = [["a", "b"], ["a"], [], ["a", "b"], [{"a": 1}]]
    assert len(np.unique(content_keys(tokens))) == 4


def test_keys_refuse_objects_told_by_their_address():
    """What cannot be told from run to run is refused, with the ways out."""
    X = np.array([[1.0, object()], [2.0, object()]], dtype=object)
    with pytest.raises(TypeError, match=r'or a resampler with key="position"'):
        content_keys(X)
    with pytest.raises(TypeError, match="memory address"):
        Bootstrap().prepare(X, np.arange(2.0))
    Bootstrap(key="position").prepare(X, np.arange(2.0))[0]


def test_keys_of_dates():
    """Dates are numbers, NaT is missing."""
    days = np.array(["2020-01-01", "2020-01-02", "NaT"], dtype="datetime64[D]")
    keys = content_keys(days[:, None])
    assert len(np.unique(keys)) == 3
    number = np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(float))
    assert np.array_equal(keys, content_keys(number[:, None]))


def test_keys_of_three_dimensions():
    """Images are rows of their numbers."""
    X = np.random.default_rng(0).normal(size=(6, 4, 3))
    assert same(X, X.reshape(6, -1))


def test_keys_of_complex_numbers():
    """Both parts of a complex number count."""
    X = np.array([[1 + 2j], [1 - 2j], [2 + 2j]])
    assert len(np.unique(content_keys(X))) == 3


def test_keys_do_not_collide():
    """A hundred thousand random rows have as many keys."""
    # 1e5 words of 64 bits collide with probability 1e10 / 2 / 2**64 = 3e-10.
    X = np.random.default_rng(0).normal(size=(100_000, 2))
    assert len(np.unique(content_keys(X))) == len(X)
    counts = np.indices((50, 50, 40)).reshape(3, -1).T
    assert len(np.unique(content_keys(counts))) == len(counts)


def test_keys_are_spread_evenly():
    """Each bit of the keys of consecutive numbers is set half of the time."""
    keys = content_keys(np.arange(20_000.0)[:, None])
    share = [(keys >> np.uint64(bit) & np.uint64(1)).mean() for bit in range(64)]
    # Five standard errors, 5 * 0.5 / sqrt(20000) = 0.018, for 64 shares.
    assert np.abs(np.array(share) - 0.5).max() < 0.018


RNG = np.random.default_rng(20)
NATURAL = {
    "zero_or_one": RNG.integers(0, 2, size=(2000, 3)).astype(float),
    "halves": RNG.integers(0, 10, size=(2000, 3)) / 2,
    "integers": RNG.integers(-100, 101, size=(2000, 3)).astype(float),
    "tenths": RNG.integers(0, 11, size=(2000, 3)) / 10,
    "powers_of_two": 2.0 ** -RNG.integers(0, 30, size=(2000, 3)),
    "far_from_zero": 1e6 + RNG.normal(size=(2000, 3)),
    "normal": RNG.normal(size=(2000, 3)),
    "min_max": MinMaxScaler().fit_transform(RNG.integers(0, 97, size=(2000, 3))),
    "standard": StandardScaler().fit_transform(RNG.integers(0, 97, size=(2000, 3))),
    "constant": np.full((2000, 3), 0.1),
}


@pytest.mark.parametrize("name", NATURAL)
def test_keys_stand_rounding_noise(name):
    """Noise of 1e-12 of a column's scale moves at most the odd row."""
    # The grid is about 1e-6 of the range, so a number spread evenly over its cell
    # crosses an edge with probability 1e-6: 6000 numbers make 0.006 crossings. Two
    # rows are far out; numbers at an edge by their nature would move by hundreds.
    X = NATURAL[name]
    rng = np.random.default_rng(0)
    scale = np.maximum(X.max(axis=0) - X.min(axis=0), np.abs(X).max(axis=0) * 1e-3)
    noisy = X + rng.uniform(-1e-12, 1e-12, size=X.shape) * scale
    noisy[rng.random(X.shape) < 0.2] *= 1 + 2.0**-52
    assert np.count_nonzero(content_keys(noisy) != content_keys(X)) <= 2


@pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
@pytest.mark.parametrize("name", NATURAL)
def test_keys_stand_a_scaler_fitted_on_shuffled_rows(scaler, name):
    """The last bits of a scaler depend on the order of rows; the keys do not."""
    X = NATURAL[name]
    order = np.random.default_rng(1).permutation(len(X))
    ours = content_keys(scaler().fit(X).transform(X))
    theirs = content_keys(scaler().fit(X[order]).transform(X))
    assert np.count_nonzero(ours != theirs) <= 2


def test_keys_follow_the_scale_of_a_column():
    """Scaling by a power of two changes keys, not which rows are equal."""
    X = np.random.default_rng(0).normal(size=(100, 1))
    near = X * (1 + 1e-13)
    for scale in (1.0, 2.0**200, 2.0**-200):
        moved = content_keys(X * scale) != content_keys(near * scale)
        assert np.count_nonzero(moved) <= 1
        assert len(np.unique(content_keys(X * scale))) == 100


def test_keys_exact_tells_neighbours_apart():
    """The exact hash sees one bit; the rounded one does not."""
    X = np.array([[1.0], [np.nextafter(1.0, 2.0)], [2.0], [0.0]])
    assert len(np.unique(content_keys(X))) == 3
    assert len(np.unique(content_keys(X, exact=True))) == 4


def test_keys_do_not_see_rows_left_out_of_the_grid():
    """A row of weight zero sets no grid, so it may be there or not."""
    X = np.random.default_rng(0).normal(size=(30, 2))
    far = np.vstack([X, [[1e9, -1e9]]])
    keep = np.arange(31) < 30
    assert np.array_equal(content_keys(far, keep=keep)[:30], content_keys(X))
    assert not np.array_equal(content_keys(far)[:30], content_keys(X))


def test_keys_do_not_depend_on_the_order_of_rows():
    """A permuted table has the permuted keys, many rows and columns alike."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 3))  # several chunks
    order = rng.permutation(len(X))
    assert np.array_equal(content_keys(X)[order], content_keys(X[order]))


def test_column_keys_are_exact():
    """Ids are never rounded: near numbers and long numbers stay apart."""
    assert len(np.unique(column_keys([1.0, np.nextafter(1.0, 2.0)]))) == 2
    long = np.array([2**60, 2**60 + 1, 2**60 + 2])
    assert len(np.unique(column_keys(long))) == 3
    assert np.array_equal(column_keys([1, 2, 3]), column_keys([1.0, 2.0, 3.0]))
    assert column_keys(["1"])[0] != column_keys([1])[0]
