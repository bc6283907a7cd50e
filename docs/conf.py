"""How Sphinx builds these pages. Nothing is fetched, while building or reading."""

import subprocess
import sys
from pathlib import Path

import genestimators

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import families_table  # noqa: E402  # lies in _ext

project = "genestimators"
author = "the genestimators developers"
copyright = author
version = release = genestimators.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "myst_parser",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sklearn_links",
]
exclude_patterns = ["_build", "_generated", "changes", "examples"]
templates_path = ["_templates"]
default_role = "py:obj"
mathjax_path = "mathjax/tex-chtml.js"

autosummary_generate = True
autodoc_default_options = {"inherited-members": True}
# numpydoc would list the members a second time, below the ones autodoc shows.
numpydoc_show_class_members = False
# sphinx-gallery keeps an unpicklable sorter in its settings, and says so each time.
suppress_warnings = ["config.cache"]

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "backreferences_dir": "api/generated",
    "doc_module": "genestimators",
    "reference_url": {"genestimators": None},
    "download_all_examples": False,
    # Its table of times asks the network for scripts.
    "write_computation_times": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "genestimators"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_sidebars = {
    page: [] for page in ("index", "install", "start", "measured", "whats_new")
}
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": False,
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
}


def collect_changes():
    """Write the change fragments that no release has collected yet as one page."""
    draft = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", version],
        cwd=HERE.parent,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    page = HERE / "_generated" / "unreleased.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text(draft[draft.index("## ") :], encoding="utf-8")


collect_changes()
families_table.write(HERE / "_generated" / "families.rst")
families_table.write_ensembles(HERE / "_generated" / "ensembles.rst")
