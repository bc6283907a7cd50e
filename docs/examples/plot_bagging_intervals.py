"""
=============================================
Where a new value may lie, from the same bag
=============================================

The rows that members left out say how far predictions are off, and the members how much
they differ. From both a bag bounds the value of a new row (jackknife+ after bootstrap),
without a further fit; how exactly the mean itself is known is another question, and has
another answer: its standard error.
"""

# %%
# A curve with noise, and a bag of trees.
import numpy as np
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingRegressor


def sample(n, seed):
    """Noisy values of a curve, and where they were taken."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(0, 10, size=n))
    return x[:, None], np.sin(x) * x / 3 + rng.normal(0, 0.6, size=n)


X, y = sample(300, 0)
tree = DecisionTreeRegressor(min_samples_leaf=5)
bag = BootstrapBaggingRegressor(tree, n_estimators=200, random_state=0).fit(X, y)

# %%
# Nine new values in ten should lie in their intervals; the proof says at least eight,
# for rows drawn alike, whatever the estimator. Of 5,000 new rows:
X_new, y_new = sample(5000, 1)
lower, upper = bag.predict_interval(X_new, confidence_level=0.9).T
inside = (lower <= y_new) & (y_new <= upper)
print(f"{inside.mean():.1%} inside, mean width {np.mean(upper - lower):.2f}")

# %%
# The band of standard errors is narrower by far. It tells how much the curve would move
# with another sample, and no share of new values is promised to lie in it.
import warnings

import matplotlib.pyplot as plt

from genestimators import FewReplicatesWarning

grid = np.linspace(0, 10, 400)[:, None]
mean = bag.predict(grid)
low, high = bag.predict_interval(grid, confidence_level=0.9).T
with warnings.catch_warnings():  # 200 members for 300 rows leave some noise in it
    warnings.simplefilter("ignore", FewReplicatesWarning)
    error = bag.predict_std(grid)

x = grid[:, 0]
fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
ax.fill_between(
    x,
    low,
    high,
    color="tab:blue",
    alpha=0.15,
    lw=0,
    label="interval for a new value, 90 %",
)
ax.fill_between(
    x,
    mean - 2 * error,
    mean + 2 * error,
    color="tab:blue",
    alpha=0.4,
    lw=0,
    label="two standard errors of the mean",
)
ax.plot(x, mean, color="tab:blue", label="bag of 200 trees")
some = np.random.default_rng(2).choice(len(y_new), 150, replace=False)
colors = np.where(inside[some], "black", "tab:red")
ax.scatter(X_new[some, 0], y_new[some], s=9, c=colors, label="new rows; red: outside")
ax.set(xlabel="x", ylabel="y")
ax.legend(loc="upper left")
plt.show()
