"""The plan of the house: which module may import which, and what is public."""

import ast
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, is_classifier

import genestimators
from tests.common.instances import instances

PACKAGE = Path(genestimators.__file__).parent
DOCS = Path(__file__).parents[1] / "docs"
FILES = sorted(PACKAGE.rglob("*.py"))

WRAPPERS = {"bagging", "regularization", "selection", "imputation"}
ABOVE = {"diagnostics", "segments", "production"}
# What the modules of each part may import besides their own part and the underscore
# modules. Arrows point down only.
ALLOWED = {
    "_": set(),
    "resampling": set(),
    "fitting": {"resampling"},
    **{part: {"fitting", "resampling"} for part in WRAPPERS},
    **{part: {"fitting", "resampling"} | WRAPPERS | ABOVE for part in ABOVE},
}
MOST_LINES = 500


def _name(path):
    return path.relative_to(PACKAGE).as_posix()


def _part(path):
    """The sub-package of a file, or "_" for the modules beside __init__.py."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else "_"


def _imports(path):
    """Each imported module, with the names taken from it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, []
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)} has a relative import"
            yield node.module, [alias.name for alias in node.names]


def _own_parts(path):
    """The parts of this package that a file imports."""
    for module, names in _imports(path):
        if module == "genestimators":
            yield from ("_" if name.startswith("_") else name for name in names)
        elif module.startswith("genestimators."):
            part = module.split(".")[1]
            yield "_" if part.startswith("_") else part


PUBLIC = [name for name in genestimators.__all__ if not name.startswith("__")]
CLASSES = [name for name in PUBLIC if inspect.isclass(getattr(genestimators, name))]
PARAMETRIZED = [
    name for name in CLASSES if issubclass(getattr(genestimators, name), BaseEstimator)
]
LEARNERS = [
    name
    for name in PARAMETRIZED
    if hasattr(getattr(genestimators, name), "fit")
    and (
        hasattr(getattr(genestimators, name), "predict")
        or hasattr(getattr(genestimators, name), "transform")
    )
]


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_private_name_of_scikit_learn_is_imported(path):
    """Only what scikit-learn documents is used, so its next version changes nothing."""
    for module, names in _imports(path):
        parts = module.split(".")
        if parts[0] != "sklearn":
            continue
        private = [part for part in [*parts, *names] if part.startswith("_")]
        assert not private, f"{_name(path)} imports {private} from {module}"


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_imports_point_downward(path):
    """Wrappers -> fitting -> resampling -> the underscore modules, never back."""
    part = _part(path)
    if path == PACKAGE / "__init__.py":
        return
    allowed = {"_", part} | ALLOWED[part]
    found = set(_own_parts(path))
    assert found <= allowed, f"{_name(path)} imports {sorted(found - allowed)}"


def test_every_part_has_its_place():
    """A new sub-package says where it stands."""
    parts = {
        path.parent.name for path in PACKAGE.glob("*/__init__.py") if path.is_file()
    }
    assert parts <= set(ALLOWED)


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_files_hold_one_idea(path):
    """Module files start with an underscore and stay under five hundred lines."""
    assert path.name.startswith("_")
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_optional_libraries_are_imported_where_they_are_used(path):
    """The package imports with nothing but its dependencies."""
    optional = {"matplotlib", "pandas", "polars", "pyarrow", "dask", "rich"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
        assert not optional & {name.split(".")[0] for name in names}


def _sections(name, *headings):
    """The text of sections of a class's docstring, by their headings."""
    text = inspect.getdoc(getattr(genestimators, name))
    found = ""
    for heading in headings:
        match = re.search(
            rf"^{heading}\n-+\n(.*?)(?=^[A-Z][\w ]+\n-+$|\Z)", text, re.M | re.S
        )
        found += match.group(1) if match else ""
    return found


def _entries(text):
    """Documented names with what stands behind their colon."""
    found = {}
    for names, kind in re.findall(r"^(\w[\w, ]*?) : (.+)$", text, re.M):
        for name in names.split(", "):
            found[name] = kind
    return found


def test_all_is_sorted_and_complete():
    """Each public name exists, once, in order."""
    assert sorted(set(genestimators.__all__)) == list(genestimators.__all__)
    for name in genestimators.__all__:
        assert hasattr(genestimators, name)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_have_a_summary(name):
    """The first line says what it does, ends with a full stop, and is short."""
    text = inspect.getdoc(getattr(genestimators, name))
    lines = text.splitlines()
    assert len(lines[0]) < 80
    assert lines[0].endswith(".")
    assert len(lines) == 1 or lines[1] == ""


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_stand_in_the_api_page(name):
    """The API page lists every public name."""
    page = DOCS / "api" / "index.rst"
    if not page.is_file():
        pytest.skip("the documentation is not beside the tests")
    listed = re.findall(r"^ {3}(\w+)$", page.read_text(encoding="utf-8"), re.M)
    assert name in listed


@pytest.mark.parametrize("name", PARAMETRIZED)
def test_parameters_are_documented(name):
    """Each constructor parameter with its kind and its default, and no other."""
    signature = inspect.signature(getattr(genestimators, name))
    entries = _entries(_sections(name, "Parameters"))
    assert list(entries) == list(signature.parameters)
    for parameter in signature.parameters.values():
        if parameter.default is not parameter.empty:
            default = entries[parameter.name].split("default=")[-1]
            assert default.strip('"') == str(parameter.default)


@pytest.mark.parametrize("name", PARAMETRIZED)
def test_parameters_are_constrained(name):
    """Each constructor parameter has its constraint."""
    kind = getattr(genestimators, name)
    assert set(kind._parameter_constraints) == set(inspect.signature(kind).parameters)


@pytest.mark.parametrize("name", PARAMETRIZED)
def test_public_methods_are_documented(name):
    """Methods and properties of the class have a docstring."""
    for attribute, value in inspect.getmembers(getattr(genestimators, name)):
        if attribute.startswith("_") or not (
            callable(value) or isinstance(value, property)
        ):
            continue
        assert inspect.getdoc(value), f"{name}.{attribute}"


@pytest.mark.parametrize("name", LEARNERS)
def test_learners_are_among_the_instances(name):
    """The shared checks see every public estimator."""
    assert name in {type(estimator).__name__ for estimator in instances()}


def _fitted(name):
    """Fitted instances of a class, with numbers, names and several outputs."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    numbers = X[:, 0] + rng.normal(size=40)
    classes = np.where(numbers > 0, "a", "b")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["u", "v", "w"])
    kinds = [each for each in instances() if type(each).__name__ == name]
    for estimator in (kinds[0], kinds[-1]):
        base = getattr(estimator, "estimator", None)
        of_classes = any(
            is_classifier(one) for one in (estimator, base) if one is not None
        )
        yield estimator.fit(frame, classes if of_classes else numbers)
    if "oob_score" in kinds[0].get_params():
        target = classes if is_classifier(kinds[0]) else numbers
        yield kinds[0].set_params(oob_score=False).fit(X, target)
    learning = [each for each in kinds if hasattr(each, "partial_fit")]
    if learning:
        told = {"classes": ["a", "b"]} if is_classifier(learning[0]) else {}
        target = classes if told else numbers
        yield learning[0].partial_fit(X, target, **told)
    if "criterion" in kinds[0].get_params():
        for criterion in ("fdr", "pfer"):
            yield kinds[0].set_params(criterion=criterion).fit(frame, numbers)


@pytest.mark.slow
@pytest.mark.parametrize("name", LEARNERS)
def test_fitted_attributes_are_documented(name):
    """Whatever public attribute a fit leaves behind is explained, and exists."""
    entries = _entries(_sections(name, "Attributes"))
    seen = set()
    for estimator in _fitted(name):
        seen |= {
            attribute
            for attribute in dir(estimator)
            if attribute.endswith("_")
            and not attribute.startswith("_")
            and hasattr(estimator, attribute)
        }
    assert seen <= set(entries), f"not documented: {sorted(seen - set(entries))}"
    assert set(entries) <= seen, f"not there: {sorted(set(entries) - seen)}"
