"""A report as one page that needs no network, script or font."""

import html

from genestimators.diagnostics.decomposition._losses import NAMES
from genestimators.diagnostics.report._charts import (
    curve_chart,
    gains_chart,
    parts_chart,
)
from genestimators.diagnostics.report._verdict import number

_TITLES = {
    "signal": "Signal",
    "averaging": "Averaging",
    "penalty": "Penalty",
    "rows": "More rows",
    "variance": "Variance",
    "training": "Training error",
}
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #4a5560; --page: #ffffff;
  --card: #f3f5f8; --line: #c3ccd6; --one: #0b5cad; --two: #a34700; --good: #1a6b34; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9edf1; --soft: #b3bec9;
  --page: #14181d; --card: #1f252c; --line: #465260; --one: #79b8ff; --two: #ffab70;
  --good: #85d996; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 46rem; background: var(--page);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
code { font-size: .9em; }
.soft, caption, figcaption { color: var(--soft); }
.card { background: var(--card); border-left: .3rem solid var(--line);
  border-radius: .3rem; padding: .6rem .8rem; margin: .6rem 0; }
.card.act { border-left-color: var(--good); }
.card p { margin: .2rem 0; }
.card h3 { font-size: 1rem; margin: 0; }
.card h3 small { color: var(--good); font-weight: 600; }
.big { font-size: 2rem; font-weight: 650; line-height: 1.2; }
ul { list-style: none; margin: 0; padding: 0; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: left; padding: .25rem .4rem .25rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
figure { margin: 0; }
svg { width: 100%; max-width: 40rem; height: auto; display: block; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .soft { fill: var(--soft); }
svg .axis { stroke: var(--line); }
svg .one { stroke: var(--one); } svg .two { stroke: var(--two); }
svg .fill-one { fill: var(--one); } svg .fill-two { fill: var(--two); }
svg .ink { stroke: var(--ink); } svg .fill-ink { fill: var(--ink); }
"""


def data(value, name=""):
    """A number for people with the exact one beside it."""
    text = number(value) if value == value else "unknown"
    own = f' id="{name}"' if name else ""
    return f'<data{own} value="{float(value)!r}">{html.escape(text)}</data>'


def page_of(report):
    """The page of a report.

    Parameters
    ----------
    report : GeneralizationReport

    Returns
    -------
    page : str
    """
    name = NAMES[report.loss_name]
    low, high = report.loss_interval
    level = f"{report.confidence_level:.0%}"
    body = [
        "<h1>How well will it generalise?</h1>",
        f'<p class="soft"><code>{html.escape(report.estimator)}</code>, '
        f"{report.n_samples} rows, {report.n_fits} fits</p>",
        '<section aria-labelledby="expect"><h2 id="expect">What to expect</h2>',
        f'<p>Expected {name} on new rows<br><span class="big">'
        f"{data(report.loss, 'loss')}</span> ({data(low, 'loss-low')} to "
        f"{data(high, 'loss-high')} at {level} confidence)</p>",
        f"<p>{html.escape(report.advice())}</p></section>",
        '<section aria-labelledby="verdict"><h2 id="verdict">Verdict</h2><ul>',
        *(_card(one) for one in report.verdict),
        "</ul></section>",
        _figure(
            "gains", "What remedies would bring", gains_chart(report),
            f"Gains in {name}, with intervals at {level} confidence. Right of zero is "
            "better.",
        ),
        _figure(
            "curve", "Loss against training rows", curve_chart(report),
            f"{name.capitalize()} at four sizes, with one standard error, and a curve "
            f"through them with a band at {level} confidence; dashed beyond all rows.",
        ),
        _figure(
            "parts", "Variance and the rest", parts_chart(report),
            "Averaging over data sets would take the variance away, and leave bias and "
            "noise. The last bar is extrapolated to all rows.",
        ),
        _table(report),
    ]  # fmt: skip
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src data:\">"
        '<link rel="icon" href="data:,"><title>Generalization report</title>'
        f"<style>{_STYLE}</style></head><body><main>{''.join(body)}</main></body></html>"
        "\n"
    )


def _card(statement):
    act = statement.worthwhile
    mark = " <small>worth it</small>" if act else ""
    if act and statement.kind == "signal":
        mark = " <small>first of all</small>"
    remedy = html.escape(statement.remedy)
    if statement.piece:
        piece = html.escape(statement.piece)
        remedy = remedy.replace(piece, f"<code>{piece}</code>")
    return (
        f'<li class="card{" act" if act else ""}"><h3>{_TITLES[statement.kind]}{mark}'
        f"</h3><p>{html.escape(statement.text)}</p>"
        + (f"<p>{remedy}</p>" if remedy else "")
        + "</li>"
    )


def _figure(name, title, picture, caption):
    return (
        f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2><figure>'
        f"{picture}<figcaption>{html.escape(caption)}</figcaption></figure></section>"
    )


def _table(report):
    found = report.decomposition
    rows = [
        ("Expected loss", report.loss, report.error.std_error, "t-loss"),
        ("Training loss", report.training_loss, None, "t-training"),
        ("Variance", found.variance, found.std_errors["variance"], "t-variance"),
        (
            "Bias² + noise", found.bias_and_noise,
            found.std_errors["bias_and_noise"], "t-rest",
        ),
        ("Noise, at most", found.noise_upper_bound, None, "t-noise"),
        ("Variance by seed", found.seed_variance, None, "t-seed"),
    ]  # fmt: skip
    lines = "".join(
        f'<tr><th scope="row">{title}</th><td>{data(value, key)}</td>'
        f"<td>{'' if error is None else data(error)}</td></tr>"
        for title, value, error, key in rows
    )
    return (
        '<section aria-labelledby="numbers"><h2 id="numbers">Numbers</h2><table>'
        f"<caption>Losses ({NAMES[report.loss_name]})</caption><tr>"
        '<th scope="col">Figure</th><th scope="col">Value</th><th scope="col">'
        f"Std. error</th></tr>{lines}</table></section>"
    )
