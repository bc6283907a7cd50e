"""
=====================================
Keeping the features that generalise
=====================================

Forty columns of noise beside ten real ones. A model that takes them all learns some of
the noise; a selector that asks which columns help on other rows leaves most of it out.
"""

# %%
# Disease progression of 442 patients, half of them kept aside, with 40 columns of
# random numbers added.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from genestimators import SelectionDisplay, StableFeatureSelector

X, y = load_diabetes(return_X_y=True, as_frame=True)
rng = np.random.default_rng(0)
for i in range(40):
    X[f"noise {i}"] = rng.normal(size=len(X))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)

# %%
# As a step of a pipeline.
every = LinearRegression().fit(X_train, y_train)
model = make_pipeline(
    StableFeatureSelector(LinearRegression(), random_state=0), LinearRegression()
).fit(X_train, y_train)
selector = model[0]
print("kept:", ", ".join(selector.get_feature_names_out()))
print(
    f"R2 on new rows: {every.score(X_test, y_test):.2f} with all columns, "
    f"{model.score(X_test, y_test):.2f} with those kept"
)

# %%
# The stability paths: how often a feature is among the first one, two, ... of a half.
# On the left the features that predict best; on the right, without any further fit,
# those that are found so often that one false feature at most is to be expected.
fig, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained", sharey=True)
SelectionDisplay.from_estimator(selector, ax=axes[0])
selector.set_params(criterion="pfer_r_concave", alpha=1)
SelectionDisplay.from_estimator(selector, ax=axes[1])
plt.show()

# %%
# How good is the number of features? The losses of the nested models on the halves that
# they were not fitted on.
losses = selector.nested_losses_ / y_train.var()
mean, spread = losses.mean(axis=0), losses.std(axis=0)
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(selector.nested_sizes_, mean)
ax.fill_between(selector.nested_sizes_, mean - spread, mean + spread, alpha=0.2)
ax.set_xlabel("features of the model")
ax.set_ylabel("squared error on the other half / variance")
plt.show()
