"""
=====================================================
The score to expect, told by the training data alone
=====================================================

A tree that is allowed to grow knows its training rows by heart, and its training score
says nothing. A bag of such trees scores each row with the members that did not see it:
the out-of-bag score forecasts the score on new rows, with a standard error.
"""

# %%
# Disease progression of 442 patients; half of them are kept aside as the new rows.
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)

# %%
# Trees of growing depth, alone and in a bag. The number of members is found by the bag.
from sklearn.tree import DecisionTreeRegressor

from genestimators import BootstrapBaggingRegressor

depths = [1, 2, 3, 4, 6, 8, 12]
rows = []
for depth in depths:
    tree = DecisionTreeRegressor(max_depth=depth, random_state=0)
    bag = BootstrapBaggingRegressor(tree, random_state=0).fit(X_train, y_train)
    tree.fit(X_train, y_train)
    rows.append(
        {
            "tree, new rows": tree.score(X_test, y_test),
            "bag, new rows": bag.score(X_test, y_test),
            "bag, training rows": bag.train_score_,
            "bag, out of bag": bag.oob_score_,
            "error": bag.oob_score_std_error_,
        }
    )
    print(
        f"depth {depth:2d}: {bag.n_estimators_:3d} members, gap "
        f"{bag.generalization_gap_:.2f} +- {bag.generalization_gap_std_error_:.2f}"
    )

# %%
# The out-of-bag score follows the score on new rows at every depth, whatever the
# training score does. The band is two standard errors wide on either side.
import matplotlib.pyplot as plt
import numpy as np

fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
styles = {
    "bag, training rows": ("tab:gray", ":", "v"),
    "bag, out of bag": ("tab:blue", "-", "o"),
    "bag, new rows": ("tab:orange", "-", "s"),
    "tree, new rows": ("tab:red", "--", "D"),
}
for name, (color, line, marker) in styles.items():
    values = [row[name] for row in rows]
    ax.plot(depths, values, line, color=color, marker=marker, label=name)
middle = np.array([row["bag, out of bag"] for row in rows])
error = np.array([row["error"] for row in rows])
ax.fill_between(
    depths, middle - 2 * error, middle + 2 * error, color="tab:blue", alpha=0.15, lw=0
)
ax.axhline(0, color="black", lw=0.8)
ax.set(xlabel="max_depth of the trees", ylabel="R2", ylim=(-0.4, 1.0))
ax.legend(loc="upper left", ncols=2)
plt.show()

# %%
# The gap between training and out-of-bag score grows with depth while the score on new
# rows hardly moves: a gap alone is no fault. What averaging removed is
# `bagging_gain_`, here for the deepest trees, in squared units of y.
print(f"{bag.bagging_gain_:.0f} +- {bag.bagging_gain_std_error_:.0f}")
