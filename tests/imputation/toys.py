"""Tables with gaps, of every kind of column, in every kind of container."""

import numpy as np
import pytest


def numbers(seed=0, n=80, p=5, share=0.25):
    """Correlated numbers with gaps; no column is empty, the last misses nothing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + rng.normal(size=p)
    gaps = rng.random((n, p)) < share
    gaps[:, -1] = gaps[0] = False
    gaps[1, :-1] = True
    X[gaps] = np.nan
    return X


def mixed_columns(seed=0, n=80):
    """Columns of several kinds as object arrays, None where missing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    columns = {
        "size": x + rng.normal(scale=0.3, size=n),
        "weight": 2 * x + rng.normal(scale=0.5, size=n),
        "rooms": rng.poisson(3 + (x > 0)),
        "old": rng.random(n) < 0.3,
        "town": np.array(["Bern", "Genf", "Chur"])[
            np.digitize(x + rng.normal(scale=0.5, size=n), [-0.5, 0.8])
        ],
        "code": rng.choice(["a", "b", ""], size=n),
        "full": rng.choice(["yes", "no"], size=n),
    }
    out = {}
    for name, values in columns.items():
        cells = np.array(values.tolist(), dtype=object)
        if name != "full":
            cells[rng.random(n) < 0.2] = None
        out[name] = cells
    return out


def mixed_array(seed=0, n=80):
    """The columns as one object array."""
    return np.column_stack(list(mixed_columns(seed, n).values()))


def mixed_pandas(seed=0, n=80):
    """The columns as a pandas frame of many types."""
    pd = pytest.importorskip("pandas")
    columns = mixed_columns(seed, n)
    return pd.DataFrame(
        {
            "size": columns["size"].astype(np.float64),
            "weight": pd.array(columns["weight"].astype(float), dtype="float32"),
            "rooms": pd.array(columns["rooms"], dtype="Int64"),
            "old": pd.array(columns["old"], dtype="boolean"),
            "town": pd.Categorical(columns["town"]),
            "code": columns["code"],
            "full": pd.array(columns["full"], dtype="string"),
        },
        index=np.arange(n) + 100,
    )


def mixed_polars(seed=0, n=80):
    """The columns as a polars frame of many types."""
    pl = pytest.importorskip("polars")
    columns = {name: cells.tolist() for name, cells in mixed_columns(seed, n).items()}
    towns = pl.Enum(["Bern", "Chur", "Genf"])
    return pl.DataFrame(
        {
            "size": pl.Series(columns["size"], dtype=pl.Float64),
            "weight": pl.Series(columns["weight"], dtype=pl.Float32),
            "rooms": pl.Series(columns["rooms"], dtype=pl.Int32),
            "old": pl.Series(columns["old"], dtype=pl.Boolean),
            "town": pl.Series(columns["town"], dtype=towns),
            "code": pl.Series(columns["code"], dtype=pl.Categorical),
            "full": pl.Series(columns["full"], dtype=pl.String),
        }
    )


TABLES = {
    "float64": numbers,
    "float32": lambda: numbers().astype(np.float32),
    "array": mixed_array,
    "pandas": mixed_pandas,
    "polars": mixed_polars,
}
