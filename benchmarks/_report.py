"""Tables of results: printed, and written to results/ with what they were made on."""

import argparse
import atexit
import datetime
import os
import platform
import sys
from pathlib import Path

import joblib
import numpy as np
import scipy
import sklearn

import genestimators

RESULTS = Path(__file__).parent / "results"


class Report:
    """Collects paragraphs and tables; prints them as they come.

    Parameters
    ----------
    name : str
        The file is results/<name>.md.
    title : str
    quick : bool
        A smoke run: its numbers mean nothing, so no file is written.
    """

    def __init__(self, name, title, quick=False):
        self.path = RESULTS / f"{name}.md"
        self.quick = quick
        self.parts = []
        self._add(f"# {title}")

    def _add(self, text):
        self.parts.append(text)
        print(text + "\n", flush=True)

    def say(self, text):
        """Add a paragraph."""
        self._add(text)

    def table(self, caption, header, rows):
        """Add a table; `rows` hold cells that are text already."""
        self._add(f"## {caption}")
        self._add(markdown_table(header, rows))

    def save(self):
        """Write the file, unless this is a smoke run."""
        self._add(machine())
        if self.quick:
            return
        RESULTS.mkdir(exist_ok=True)
        self.path.write_text("\n\n".join(self.parts) + "\n")
        print(f"Written to {self.path.relative_to(RESULTS.parent.parent)}")


def markdown_table(header, rows):
    """A Markdown table that reads well as text: first column left, the rest right."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]

    def line(row):
        padded = [row[0].ljust(widths[0])]
        padded += [
            cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)
        ]
        return "| " + " | ".join(padded) + " |"

    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    return "\n".join([line(cells[0]), line(rule), *map(line, cells[1:])])


def machine():
    """One paragraph: the machine, the versions, the day, the command."""
    threads = os.environ.get("OMP_NUM_THREADS", "not set")
    return (
        f"Made on {datetime.date.today():%Y-%m-%d} on {_processor()}, "
        f"{os.cpu_count()} cores, {platform.system()}; "
        f"Python {platform.python_version()}, numpy {np.__version__}, "
        f"scipy {scipy.__version__}, scikit-learn {sklearn.__version__}, "
        f"genestimators {genestimators.__version__}; OMP_NUM_THREADS {threads}; by\n\n"
        f"    python benchmarks/{' '.join([Path(sys.argv[0]).name, *sys.argv[1:]])}"
    )


def _processor():
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def arguments(description, *, cache=False, resume=False):
    """The command line of every script; `cache` and `resume` are for long runs."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--quick", action="store_true", help="a smoke run of seconds; writes no table"
    )
    parser.add_argument(
        "--dask",
        nargs="?",
        const="",
        metavar="SCHEDULER",
        help="send what runs in parallel to a Dask cluster: the one at this address "
        "(its workers need this folder on their path), or one made on this machine",
    )
    if cache:
        parser.add_argument(
            "--cache",
            metavar="FOLDER",
            help="keep the results of trials here, so that a run that was stopped goes "
            "on where it was; empty the folder when the library has changed",
        )
    if resume:
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on with the record of a run that was stopped; start anew when the "
            "library has changed",
        )
        parser.add_argument(
            "--report", action="store_true", help="tables of the record, without a run"
        )
    args = parser.parse_args()
    if args.dask is not None:
        use_dask(args.dask)
    return args


def use_dask(address, **settings):
    """Make a Dask cluster joblib's backend until the script ends; its client."""
    from distributed import Client  # an extra

    if address:
        client = Client(address)
    else:
        settings = {"threads_per_worker": 1, "dashboard_address": ":0", **settings}
        client = Client(**settings)
    atexit.register(client.close)
    joblib.parallel_config(backend="dask")
    return client


def verdict(met):
    """A word."""
    return "met" if met else "missed"


def median_and_range(values, digits=2):
    """`median (least to most)` as text."""
    values = np.asarray(values)
    return (
        f"{np.median(values):.{digits}f} "
        f"({values.min():.{digits}f} to {values.max():.{digits}f})"
    )
