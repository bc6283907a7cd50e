"""
==============================================
Choosing a penalty from the gap, with a reason
==============================================

Training scores rise as a penalty weakens, validation scores rise and fall again. The
curve of both, with the differences that validation can tell apart, shows what was
chosen and how much it matters.
"""

# %%
# Disease progression of 442 patients, half of them kept aside as new rows. A single
# tree first: all of its prunings are compared, on five folds dealt several times, each
# from one grown tree a fold.
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeRegressor

from genestimators import (
    AutoRegularizedCV,
    BootstrapBaggingRegressor,
    RegularizationDisplay,
)

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)

tree = AutoRegularizedCV(DecisionTreeRegressor(), random_state=0).fit(X_train, y_train)
print(tree.choice_)

# %%
# The same for a bag of trees. Averaging removes variance already, so its members are
# pruned less; the choice is made on the rows that they left out, without folds.
bag = BootstrapBaggingRegressor(DecisionTreeRegressor(), n_estimators=100)
bagged = AutoRegularizedCV(bag, random_state=0).fit(X_train, y_train)
print(bagged.choice_)

# %%
# A tree has a sharp best penalty. The bag hardly cares, up to the point where trees
# become too short.
fig, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained", sharey=True)
for ax, model, title in zip(
    axes, [tree, bagged], ["one tree, folds", "a bag of trees, out of bag"], strict=True
):
    RegularizationDisplay.from_estimator(model, ax=ax, score_name="R2")
    ax.set_title(title)
plt.show()

# %%
# What was promised and what the new rows say.
for name, model in (("tree", tree), ("bag", bagged)):
    low, high = model.expected_score_interval_
    print(
        f"{name}: expected R2 {model.expected_score_:.2f} ({low:.2f} to {high:.2f}), "
        f"on new rows {model.score(X_test, y_test):.2f}"
    )
