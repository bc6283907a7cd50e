"""Time and memory of a call in a process of its own."""

import gc
import multiprocessing
import time
import warnings
from pathlib import Path


def in_fresh_process(function, *args):
    """What a function of this folder returns, called in a new process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_quietly, (function, args))


def _quietly(function, args):
    warnings.filterwarnings("ignore")
    return function(*args)


def seconds(function, *args):
    """Processor time of a call: all runs have one job, and others use the machine."""
    gc.collect()
    started = time.process_time()
    function(*args)
    return time.process_time() - started


def resident(kind):
    """Memory of this process in bytes: "VmRSS" now, "VmHWM" at its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) * 1024
    raise ValueError(f"No {kind} in /proc/self/status.")


def peak_of(function, *args):
    """Bytes that a call needs at its peak, above what is in use before it."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = resident("VmRSS")
    function(*args)
    return max(0, resident("VmHWM") - before)
