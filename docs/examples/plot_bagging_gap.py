"""
===================================
A bag closes the gap of a deep tree
===================================

A tree grown to the end knows its training rows by heart. Averaging trees grown on
bootstrap samples keeps most of that knowledge and loses the part that was noise.
"""

# %%
# The same data for both models.
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

# %%
# One tree, and a bag of such trees.
from sklearn.tree import DecisionTreeClassifier

from genestimators import BootstrapBaggingClassifier

tree = DecisionTreeClassifier(random_state=0)
models = {"one tree": tree, "bag": BootstrapBaggingClassifier(tree, random_state=0)}
scores = {}
for name, model in models.items():
    model.fit(X_train, y_train)
    scores[name] = model.score(X_train, y_train), model.score(X_test, y_test)

# %%
# The gap is the distance between the two points of a model.
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(6, 2.5), layout="constrained")
for name, (train, test) in scores.items():
    ax.plot([test, train], [name, name], "o-", label=f"{name}: gap {train - test:.3f}")
ax.set_xlabel("accuracy: test rows (left) and training rows (right)")
ax.legend()
plt.show()
