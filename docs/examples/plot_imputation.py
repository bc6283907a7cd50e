"""
====================================
What to put where a value is missing
====================================

A column mean, the mean given the rest of the row, a random draw, or a draw in every
replicate of a bag: which predicts new rows best, and which keeps the spread of the
data?
"""

# %%
# Eight correlated columns, of which 30 % of all entries are missing, in training rows
# and new rows alike. Two targets: one that a linear model can learn, and a curved one
# for trees.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from genestimators import (
    BootstrapBaggingRegressor,
    GaussianImputer,
    imputation_report,
)


def draw(n, rng):
    """Columns with gaps, and both targets."""
    common = rng.normal(size=(n, 1))
    X = np.sqrt(0.6) * common + np.sqrt(0.4) * rng.normal(size=(n, 8))
    linear = X @ np.linspace(1, -0.5, 8) + 0.7 * rng.normal(size=n)
    curved = 3 * np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.7 * rng.normal(size=n)
    gaps = rng.random(X.shape) < 0.3
    return np.where(gaps, np.nan, X), linear, curved


rng = np.random.default_rng(0)
X, *targets = draw(400, rng)
X_new, *new_targets = draw(4000, rng)

# %%
# Each way of filling in, before the model, and inside every replicate of a bag of
# models.
ways = {
    "column mean": SimpleImputer(),
    "conditional mean": GaussianImputer(add_indicator=False),
    "one draw": GaussianImputer(strategy="draw", add_indicator=False, random_state=0),
}
cases = {
    "linear regression": (LinearRegression(), targets[0], new_targets[0]),
    "tree": (DecisionTreeRegressor(random_state=0), targets[1], new_targets[1]),
}
losses = {}
for case, (base, y, y_new) in cases.items():
    for way, imputer in ways.items():
        model = make_pipeline(imputer, base)
        bag = BootstrapBaggingRegressor(model, n_estimators=50, random_state=0)
        for name, one in ((way, model), (f"{way}, in a bag", bag)):
            predicted = one.fit(X, y).predict(X_new)
            losses[case, name] = np.mean((predicted - y_new) ** 2)

fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
for (case, _), ax in zip(cases.items(), axes, strict=True):
    names = [name for key, name in losses if key == case]
    values = [losses[case, name] for name in names]
    colours = ["#1f5fa8" if "bag" in name else "#8a8a8a" for name in names]
    ax.barh(names, values, color=colours)
    ax.invert_yaxis()
    ax.set_title(case)
    ax.set_xlabel("squared error on new rows")
    ax.bar_label(ax.containers[0], fmt="%.2f", padding=2)
    ax.margins(x=0.15)
    ax.label_outer()
plt.show()

# %%
# One draw predicts worse than the column mean does: it adds noise to the columns. The
# conditional mean is the best single way, and refitted in every replicate it is the
# best of all, or close to it. Draws pay where they are many and averaged, as in a bag
# of trees.
#
# The conditional mean has a price: what is filled in varies too little, so a filled
# column is too narrow and its correlations are too strong. Draws keep the spread.
complete = GaussianImputer(add_indicator=False).fit(X)
drawn = GaussianImputer(strategy="draw", add_indicator=False, random_state=0).fit(X)
missing = np.isnan(X[:, 0])
fig, ax = plt.subplots(figsize=(6.5, 3.4), layout="constrained")
bins = np.linspace(-3.5, 3.5, 15)
for values, label in (
    (X[~missing, 0], "observed"),
    (complete.transform(X)[missing, 0], "filled with conditional means"),
    (drawn.transform(X)[missing, 0], "filled with draws"),
):
    ax.hist(
        values,
        bins,
        density=True,
        histtype="step",
        linewidth=2,
        label=f"{label}, standard deviation {values.std():.2f}",
    )
ax.set_xlabel("first column")
ax.set_ylabel("density")
ax.legend(loc="upper left", fontsize=8)
ax.set_ylim(0, 1)
plt.show()

# %%
# So: conditional means to predict, draws for what depends on the spread, such as the
# standard error of a coefficient (:func:`genestimators.pool`).
#
# How well an imputer fills the columns of a table of yours is told by masking some of
# the values that are known.
report = imputation_report(GaussianImputer(), X, random_state=0)
print(report)
report.plot()
plt.show()
