"""The pictures of a report, as SVG that takes its colours from the page.

They are drawn for the width of a phone, so that text stays readable there.
"""

import html

import numpy as np

from genestimators.diagnostics.decomposition._losses import NAMES
from genestimators.diagnostics.report._verdict import number

WIDTH = 340
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 22, 38


def _svg(height, title, description, shapes):
    name = "d" + "".join(filter(str.isalnum, title.lower()))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-t '
        f'{name}-d"><title id="{name}-t">{html.escape(title)}</title>'
        f'<desc id="{name}-d">{html.escape(description)}</desc>{"".join(shapes)}</svg>'
    )


class _Axis:
    """Places of numbers along one direction."""

    def __init__(self, low, high, start, end, *, log=False):
        self._of = np.log if log else np.asarray
        self._low, self._high = self._of(low), self._of(high)
        self._start, self._end = start, end

    def __call__(self, value):
        span = self._high - self._low
        share = (self._of(value) - self._low) / (span if span > 0 else 1.0)
        return self._start + share * (self._end - self._start)


def ticks(low, high, most=5):
    """Round numbers between two others, at most so many."""
    span = high - low
    if not span > 0:
        return np.array([low])
    raw = span / max(most - 1, 1)
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * (1 - 1e-9))
    first = np.ceil(low / step - 1e-9) * step
    found = np.arange(first, high + step * 1e-6, step)
    return np.where(np.abs(found) < step * 1e-6, 0.0, found)


def _line(x1, y1, x2, y2, kind, extra=""):
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"'
        f"{extra}/>"
    )


def _text(x, y, text, anchor="middle", kind=""):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">'
        f"{html.escape(text)}</text>"
    )


def _path(x, y, kind, extra=""):
    points = " L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<path d="M{points}" fill="none" stroke-width="2" class="{kind}"{extra}/>'


def _y_axis(y, low, high):
    shapes = []
    for value in ticks(low, high):
        shapes.append(_line(LEFT, y(value), WIDTH - RIGHT, y(value), "axis"))
        shapes.append(_text(LEFT - 5, y(value) + 4, number(value), "end"))
    return shapes


def gains_chart(report):
    """Gains of remedies with their intervals, one below the other."""
    titles = {"averaging": "averaging", "penalty": "penalty", "rows": "twice the rows"}
    found = [one for one in report.verdict if one.kind in titles]
    ends = np.array([[0.0, 0.0], *(one.interval for one in found)])
    low, high = min(ends.min(), 0.0), max(ends.max(), 0.0)
    # A huge uncertainty must not flatten what is known.
    known = max(abs(one.estimate) for one in found)
    low, high = max(low, -3 * known), min(high, 3 * known)
    if not high > low:
        low, high = -1.0, 1.0
    pad = 0.05 * (high - low)
    x = _Axis(low - pad, high + pad, 104, WIDTH - RIGHT)
    height = 26 * len(found) + 44
    shapes = []
    for value in ticks(low, high, 4):
        shapes.append(_line(x(value), 8, x(value), height - 30, "axis"))
        shapes.append(_text(x(value), height - 14, number(value)))
    shapes.append(_line(x(0), 8, x(0), height - 30, "ink"))
    for i, one in enumerate(found):
        at = 24 + 26 * i
        start, end = (min(max(end, low - pad), high + pad) for end in one.interval)
        shapes.append(_text(98, at + 4, titles[one.kind], "end"))
        shapes.append(_line(x(start), at, x(end), at, "one", ' stroke-width="2"'))
        shapes.append(
            f'<circle cx="{x(one.estimate):.1f}" cy="{at}" r="4.5" class="fill-one"/>'
        )
    words = "; ".join(
        f"{titles[one.kind]} {number(one.estimate)} ({number(one.interval[0])} to "
        f"{number(one.interval[1])})"
        for one in found
    )
    return _svg(height, "Gains of remedies", words, shapes)


def curve_chart(report):
    """The loss at several sizes, the curve through them, and twice the rows."""
    curve, level = report.curve, report.confidence_level
    n = curve.n_samples
    at = np.geomspace(curve.sizes[0], 2 * n, 80)
    loss, low_band, high_band = curve.at(at, level)
    reach = curve.std_errors
    seen = np.concatenate([curve.losses - reach, curve.losses + reach, loss])
    # Bands may be endless; points and curve decide what is shown.
    low, high = max(0.0, seen.min()), seen.max()
    pad = 0.15 * (high - low) if high > low else 1.0
    low, high = max(0.0, low - pad), high + pad
    height = 230
    x = _Axis(at[0], at[-1], LEFT + 6, WIDTH - RIGHT - 4, log=True)
    y = _Axis(low, high, height - BOTTOM, TOP)
    band = np.concatenate([low_band, high_band[::-1]]).clip(low, high)
    places = " L".join(
        f"{x(a):.1f} {y(b):.1f}"
        for a, b in zip(np.concatenate([at, at[::-1]]), band, strict=True)
    )
    within = at <= n * (1 + 1e-9)
    shapes = [
        *_y_axis(y, low, high),
        f'<path d="M{places} Z" class="fill-one" opacity="0.18"/>',
        _path(x(at[within]), y(loss[within]), "one"),
        _path(x(at[~within]), y(loss[~within]), "one", ' stroke-dasharray="5 4"'),
        _line(x(n), TOP, x(n), height - BOTTOM, "ink", ' stroke-dasharray="2 3"'),
        _text(x(n), TOP - 8, "all rows"),
    ]
    for size, value, error in zip(curve.sizes, curve.losses, reach, strict=True):
        ends = np.clip([value - error, value + error], low, high)
        shapes.append(_line(x(size), y(ends[0]), x(size), y(ends[1]), "ink"))
        shapes.append(
            f'<circle cx="{x(size):.1f}" cy="{y(value):.1f}" r="3.5" class="fill-ink"/>'
        )
    for size in (curve.sizes[0], curve.sizes[2], 2 * n):
        text = f"{round(size)}"
        anchor = "end" if size == 2 * n else "middle"
        shapes.append(_text(x(size), height - BOTTOM + 16, text, anchor))
    shapes.append(_text(WIDTH / 2 + 20, height - 6, "training rows", kind="soft"))
    now, doubled = -curve.curve.at([n, 2 * n])[0]
    words = (
        f"{NAMES[report.loss_name].capitalize()}: {number(curve.losses[0])} at "
        f"{curve.sizes[0]:.0f} rows, {number(now)} at all {n:g}, and continued "
        f"{number(doubled)} at twice as many."
    )
    return _svg(height, "Learning curve", words, shapes)


def parts_chart(report):
    """Variance on top of bias^2 + noise, at each size and at all rows."""
    found = report.decomposition
    sizes = [*found.sizes, found.n_samples]
    variance = np.array([*found.variance_at_sizes, found.variance])
    rest = np.array([*found.bias_and_noise_at_sizes, found.bias_and_noise])
    variance, rest = np.maximum(variance, 0.0), np.maximum(rest, 0.0)
    height, high = 220, float((variance + rest).max()) or 1.0
    y = _Axis(0.0, high, height - BOTTOM, TOP + 16)
    shapes = [
        *_y_axis(y, 0.0, high),
        f'<rect x="{LEFT}" y="4" width="11" height="11" class="fill-two"/>',
        _text(LEFT + 16, 14, "variance", "start"),
        f'<rect x="{LEFT + 90}" y="4" width="11" height="11" class="fill-one"/>',
        _text(LEFT + 106, 14, "bias² + noise", "start"),
    ]
    step = (WIDTH - LEFT - RIGHT) / len(sizes)
    for i, (size, top, base) in enumerate(zip(sizes, variance, rest, strict=True)):
        at, wide = LEFT + step * (i + 0.2), 0.6 * step
        for start, end, kind in ((0.0, base, "one"), (base, base + top, "two")):
            shapes.append(
                f'<rect x="{at:.1f}" y="{y(end):.1f}" width="{wide:.1f}" '
                f'height="{y(start) - y(end):.1f}" class="fill-{kind}"/>'
            )
        shapes.append(_text(at + wide / 2, height - BOTTOM + 16, f"{round(size)} rows"))
    words = "; ".join(
        f"{round(size)} rows: variance {number(top)}, bias² + noise {number(base)}"
        for size, top, base in zip(sizes, variance, rest, strict=True)
    )
    return _svg(height - 12, "Variance and the rest", words, shapes)
