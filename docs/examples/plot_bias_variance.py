"""
======================================
Bias and variance, the classic picture
======================================

A complex model is wrong because its rows happened to be as they were, a simple one
because it is too simple. The picture that every textbook draws with a known truth, on
real data, where nobody knows it.
"""

# %%
# Disease progression of 442 patients. Each model is fitted on pairs of subsamples that
# share no patient; what the two say differently is variance, what both get wrong in the
# same direction is bias and noise. Bands are two standard errors wide to each side.
import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from genestimators import (
    BiasVarianceDisplay,
    BootstrapBaggingRegressor,
    bias_variance_decomposition,
    ensemble_decomposition,
)

X, y = load_diabetes(return_X_y=True)
fig, axes = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained", sharey=True)
for model, ax in zip(
    (DecisionTreeRegressor(), KNeighborsRegressor()), axes, strict=True
):
    BiasVarianceDisplay.from_estimator(model, X, y, random_state=0, ax=ax)
plt.show()

# %%
# The numbers of one model, extrapolated to all patients.
found = bias_variance_decomposition(DecisionTreeRegressor(), X, y, random_state=0)
print(found)
found.plot()
plt.show()

# %%
# A bag removes what its members differ by, and only that.
bag = BootstrapBaggingRegressor(n_estimators=50, random_state=0).fit(X, y)
print(ensemble_decomposition(bag, X, y))
