"""Links to scikit-learn's documentation that need no inventory from the network.

Methods inherited from scikit-learn bring references to its glossary and user guide,
and our own docstrings name its classes. Sphinx cannot resolve these without an
inventory; their addresses follow from their names, so here they are put together.
"""

from docutils import nodes

BASE = "https://scikit-learn.org/stable"

# Labels of scikit-learn's user guide that its docstrings refer to, and their pages.
LABELS = {
    "accuracy_score": f"{BASE}/modules/model_evaluation.html#accuracy-score",
    "r2_score": f"{BASE}/modules/model_evaluation.html#r2-score",
    "metadata_routing": f"{BASE}/metadata_routing.html",
    "set_output_api": f"{BASE}/auto_examples/miscellaneous/plot_set_output.html",
    "df_output_transform": f"{BASE}/modules/df_output_transform.html",
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py": (
        f"{BASE}/auto_examples/miscellaneous/plot_set_output.html"
    ),
}
# Modules whose functions and classes are documented under their full names.
MODULE = "sklearn."


def address(node):
    """Return the page that a reference points to, None where it is not theirs."""
    target = node.get("reftarget", "")
    match node.get("refdomain"), node.get("reftype"):
        case "std", "term":
            return f"{BASE}/glossary.html#term-{target.replace(' ', '-')}"
        case "std", "ref":
            return LABELS.get(target)
        case "py", _ if target.startswith(MODULE):
            return f"{BASE}/modules/generated/{target}.html"
    return None


def resolve(app, env, node, contnode):
    """Answer Sphinx's question where a reference that it cannot resolve leads."""
    uri = address(node)
    if uri is None:
        return None
    return nodes.reference("", "", contnode, internal=False, refuri=uri)


def setup(app):
    """Register with Sphinx."""
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
