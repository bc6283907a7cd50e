"""Writes the tables of families, from the registries, as pages to be included."""

from pathlib import Path

import genestimators  # noqa: F401  # registers the families
from genestimators.fitting import registered_ensembles, registered_families

HEADER = (
    "Estimator",
    "Parameter",
    "Stronger penalty",
    "Default values",
    "Exactness",
    "Repeats",
)


def name_of(family):
    """The name of the class that a family serves."""
    kind = family.estimator
    return kind.__name__ if isinstance(kind, type) else kind.rpartition(".")[2]


def cells(family):
    """One line of the table."""
    mark = " (preferred)" if family.preferred else ""
    return (
        f"``{name_of(family)}``",
        f"``{family.param}``{mark}",
        family.stronger,
        family.default_range or "none",
        family.exactness.replace("_", " "),
        str(family.n_repeats),
    )


def ensemble_cells(family):
    """One line of the table of ensembles."""
    scaled = "yes" if family.scaled else "no"
    return f"``{name_of(family)}``", scaled, family.exactness


def write(path):
    """Write the table of families as reStructuredText."""
    _write(path, [HEADER, *map(cells, registered_families())])


def write_ensembles(path):
    """Write the table of ensembles as reStructuredText."""
    header = ("Estimator", "Also behind StandardScaler", "Exactness")
    _write(path, [header, *map(ensemble_cells, registered_ensembles())])


def _write(path, rows):
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in rows:
        lines += [f"   {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
