"""Decision trees, forests, bags and boosting."""

from genestimators.fitting.families.trees import (
    _boosting,
    _boosting_libraries,
    _forest,
    _tree,
)

__all__ = ["_boosting", "_boosting_libraries", "_forest", "_tree"]
