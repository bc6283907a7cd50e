"""Fit one estimator over draws x values."""

from genestimators.fitting._copies import copy_rows, works_in_place
from genestimators.fitting._engine import FittedDraw, fit_over, read_over
from genestimators.fitting._ensembles import (
    EnsembleFamily,
    Member,
    MembersPath,
    register_ensemble,
    registered_ensembles,
)
from genestimators.fitting._held_out import held_out_of
from genestimators.fitting._limits import (
    LimitFamily,
    LimitPath,
    fit_limit,
    register_limit,
    registered_limits,
)
from genestimators.fitting._paths import FittedPath, Path
from genestimators.fitting._precision import working_precision
from genestimators.fitting._readings import Fit
from genestimators.fitting._registry import (
    Family,
    find_family,
    integer_grid,
    log_grid,
    register_family,
    registered_families,
)
from genestimators.fitting._responses import (
    LOG_FLOOR,
    JointResponse,
    Response,
    response_kind,
)

from genestimators.fitting import families  # isort: skip  # registers them

__all__ = [
    "LOG_FLOOR",
    "EnsembleFamily",
    "Family",
    "Fit",
    "FittedDraw",
    "FittedPath",
    "JointResponse",
    "LimitFamily",
    "LimitPath",
    "Member",
    "MembersPath",
    "Path",
    "Response",
    "copy_rows",
    "families",
    "find_family",
    "fit_limit",
    "fit_over",
    "held_out_of",
    "integer_grid",
    "log_grid",
    "read_over",
    "register_ensemble",
    "register_family",
    "register_limit",
    "registered_ensembles",
    "registered_families",
    "registered_limits",
    "response_kind",
    "working_precision",
    "works_in_place",
]
