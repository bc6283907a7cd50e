"""What results share: they are words, a little HTML, and a dict."""

import html
from dataclasses import fields

import numpy as np


class Result:
    """For frozen dataclasses whose `__str__` says in lines what was found."""

    def _repr_html_(self):
        lines = (html.escape(line) for line in str(self).split("\n"))
        return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"

    def to_dict(self):
        """The fields as plain numbers, texts, lists and dicts.

        Returns
        -------
        fields : dict
            Copies. What is not known is NaN.
        """
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


def plain(value):
    """Arrays as lists and NumPy's numbers as Python's, however deep; copies."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def html_table(caption, head, rows):
    """A table of texts.

    Parameters
    ----------
    caption : str
    head : sequence of str
    rows : iterable of sequence of str

    Returns
    -------
    table : str
    """

    def line(cells, tag):
        cells = (f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells)
        return f"<tr>{''.join(cells)}</tr>"

    body = "".join(line(cells, "td") for cells in rows)
    return (
        f"<table><caption>{html.escape(caption)}</caption>{line(head, 'th')}{body}"
        "</table>"
    )
