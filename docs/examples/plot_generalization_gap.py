"""
=================
Is a gap a fault?
=================

A training score far above the score on new rows is often called overfitting, and a
model with a small gap a safe one. Neither follows: what counts is the score on new
rows, and whether something would raise it.
"""

# %%
# Three models of the same 250 rows: a tree grown until it fits every row, a forest of
# such trees, each grown on all rows, and ridge regression. Each is fitted on growing
# shares of the rows, and scored on the rows it has seen and on rows left out. Bands are
# confidence intervals that allow for splits sharing rows.
import matplotlib.pyplot as plt
from sklearn.datasets import make_friedman1
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor

from genestimators import GeneralizationGapDisplay, generalization_report

X, y = make_friedman1(250, n_features=10, noise=1.0, random_state=0)
models = {
    "full tree": DecisionTreeRegressor(random_state=0),
    "forest": ExtraTreesRegressor(n_estimators=15, random_state=0),
    "ridge": Ridge(),
}
fig, axes = plt.subplots(1, 3, figsize=(12, 4.2), layout="constrained", sharey=True)
for (name, model), ax in zip(models.items(), axes, strict=True):
    display = GeneralizationGapDisplay.from_estimator(
        model, X, y, sizes=[0.1, 0.2, 0.4, 0.8], random_state=0, ax=ax
    )
    ax.set_title(name)
    ax.label_outer()
    low, high = display.gap_interval
    print(
        f"{name:>9}: gap {display.gap:.2f} ({low:.2f} to {high:.2f}), "
        f"R2 on rows left out {display.test_scores[-1].mean():.2f}"
    )
plt.show()

# %%
# Tree and forest both know their training rows by heart, so their training scores are
# the same and tell nothing of either. The forest has a large gap, and it is the best of
# the three. Ridge has hardly any gap, and is worse than the forest: what it gets wrong,
# it gets wrong on all rows alike.
#
# A gap says that training rows are predicted better than others. It does not say that
# anything could be done about it. That takes a test of each remedy, and the report
# makes them all, from one set of fits for each model.
for name, model in models.items():
    report = generalization_report(model, X, y, n_repeats=2, random_state=0)
    print(f"--- {name}\n{report}\n")

# %%
# The tree's loss is mostly variance, and averaging takes away half of it: that is what
# the forest has done. The forest's gap is still there, and neither averaging nor a
# penalty would help it any more. Only more rows would.
