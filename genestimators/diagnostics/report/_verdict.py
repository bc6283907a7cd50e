"""What a report says: tested statements, each with its remedy."""

from dataclasses import dataclass

from genestimators.diagnostics.curves._gap import INTERPOLATES
from genestimators.diagnostics.decomposition._losses import NAMES


@dataclass(frozen=True)
class Statement:
    """One thing that was tested.

    Attributes
    ----------
    kind : {"signal", "variance", "averaging", "penalty", "rows", "training"}
    text : str
        In words, with its numbers.
    estimate : float
    interval : tuple of float or None
    p_value : float or None
        One-sided, of no effect.
    predicted_gain : float or None
        What the remedy takes off the expected loss; None where there is no remedy.
    remedy : str
        What to do, or why nothing is to be done.
    piece : str
        The class or function that does it, or "".
    worthwhile : bool
        Whether the gain is told from none, and large enough to be worth it.
    """

    kind: str
    text: str
    estimate: float
    interval: tuple | None
    p_value: float | None
    predicted_gain: float | None
    remedy: str
    piece: str
    worthwhile: bool

    def __str__(self):
        return f"{self.text} {self.remedy}".strip()


def verdict_of(figures, *, classifier, loss, worthwhile, name):
    """All statements, those that call for something first.

    Parameters
    ----------
    figures : dict
        `signal`, `averaging`, `penalty` (or None), `rows`: gains; `remedied`: a dict
        of gains over a constant with the free ones; `variance_share` with its
        interval; `constant`, `training`: losses.
    classifier : bool
    loss : float
        Expected of the model.
    worthwhile : float
        Share of the loss from which on a gain is worth it.
    name : str
        Of the loss.

    Returns
    -------
    statements : tuple of Statement
    """
    # What rounding leaves of a loss is none.
    least = max(worthwhile * loss, 1e-12 * figures["constant"])
    name = NAMES[name]
    told = loss, least, name
    free = [_averaging(figures["averaging"], classifier, *told)]
    if figures["penalty"] is not None:
        free.append(_penalty(figures["penalty"], *told))
    free.sort(key=lambda one: (not one.worthwhile, -one.predicted_gain))
    # Rows have to be paid for, so what is free comes before them.
    remedies = [*free, _rows(figures["rows"], *told)]
    remedies.sort(key=lambda one: not one.worthwhile)
    # Tested twice where there are two remedies (Bonferroni).
    tests = figures["remedied"]
    better = {
        one.kind: tests[one.kind].p_value
        for one in free
        if one.worthwhile and tests[one.kind].p_value * len(tests) < 0.05
    }
    return (
        _signal(figures["signal"], figures["constant"], better, name),
        *remedies,
        _variance(*figures["variance_share"]),
        _training(figures["training"], loss, name),
    )


def number(value):
    """A number for people: three digits, and no negative zero."""
    text = f"{value:.3g}"
    return "0" if text in ("-0", "0") else text


def p_text(p_value):
    """A p-value for people."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def _range(interval):
    low, high = interval
    return f"{number(low)} to {number(high)}"


def _signal(gain, constant, better, name):
    works, harms = gain.p_value < 0.05, gain.interval[1] < 0
    told = "Better than" if works else "Not distinguishable from"
    known = p_text(gain.p_value)
    if harms:  # p-values are those of being better
        told, known = "Worse than", f"gain {_range(gain.interval)}"
    text = f"{told} a constant prediction, whose {name} is {number(constant)}"
    text += f" ({known})."
    lost = not works and not better
    names = {"averaging": "averaging", "penalty": "another penalty"}
    remedy, instead = "", None
    if lost:
        remedy = (
            "Look for features that tell something of the target, and whether rows and "
            "targets belong together; until then predict a constant."
        )
        if harms:
            of_probabilities = name in (NAMES["brier"], NAMES["log_loss"])
            calibrate = "calibrate it, " if of_probabilities else ""
            remedy = f"Make the model simpler, {calibrate}or predict a constant."
        instead = max(-gain.value, 0.0)
    elif not works:
        kind = min(better, key=better.get)
        remedy = f"With {names[kind]} it is better ({p_text(better[kind])})."
    return Statement(
        "signal", text, gain.value, gain.interval, gain.p_value, instead, remedy,
        "", lost,
    )  # fmt: skip


def _averaging(gain, classifier, loss, least, name):
    piece = "BootstrapBaggingClassifier" if classifier else "BootstrapBaggingRegressor"
    does = _does(gain, least)
    text = _gain_text("Averaging models of resampled rows", gain, loss, name)
    # What was measured is a bag of halves.
    wrap = f'Wrap it in {piece}(resampling="subsample").'
    remedy = wrap if does else _why_not(gain)
    return Statement(
        "averaging", text, gain.value, gain.interval, gain.p_value, gain.value,
        remedy, piece, does,
    )  # fmt: skip


def _penalty(gain, loss, least, name):
    does = _does(gain, least)
    if gain.stronger is None or gain.interval[1] < 0:
        text = (
            f"No other value of {gain.param} does better than {_value(gain.current)}."
        )
        remedy = ""
    else:
        kind = "stronger" if gain.stronger else "weaker"
        what = f"A {kind} penalty ({gain.param} near {_value(gain.best)})"
        text = _gain_text(what, gain, loss, name)
        remedy = "Let AutoRegularizedCV choose it." if does else _why_not(gain)
    return Statement(
        "penalty", text, gain.value, gain.interval, gain.p_value, gain.value, remedy,
        "AutoRegularizedCV", does,
    )  # fmt: skip


def _rows(gain, loss, least, name):
    does = _does(gain, least)
    text = _gain_text("Doubling the rows", gain, loss, name)
    remedy = "Get more rows." if does else _why_not(gain)
    return Statement(
        "rows", text, gain.value, gain.interval, gain.p_value, gain.value, remedy,
        "learning_curve_forecast", does,
    )  # fmt: skip


def _variance(share, interval):
    text = f"Variance is {100 * share:.0f} % of the expected loss"
    if not 0 <= share <= 1:  # of no loss, or nothing but noise
        text = "The share of variance in the expected loss is not known"
        interval = None
    if interval is not None:
        text += f" ({100 * interval[0]:.0f} to {100 * interval[1]:.0f})"
    remedy = "The rest is bias and noise, which averaging does not touch."
    return Statement(
        "variance", f"{text}.", share, interval, None, None, remedy,
        "bias_variance_decomposition", False,
    )  # fmt: skip


def _training(training, loss, name):
    if training <= INTERPOLATES * loss:
        text = (
            f"The training {name}, {number(training)}, says nothing here: the learner "
            "interpolates."
        )
        remedy = "Good learners may do so; look at the other statements."
    else:
        text = (
            f"The {name} on the training rows is {number(training)}, on new ones "
            f"{number(loss)}."
        )
        remedy = "A gap alone is no fault."
    return Statement(
        "training", text, loss - training, None, None, None, remedy,
        "GeneralizationGapDisplay", False,
    )  # fmt: skip


def _does(gain, least):
    return gain.interval[0] > 0 and gain.value >= least


def _gain_text(what, gain, loss, name):
    if gain.value >= 0:
        text = f"{what} would take about {number(gain.value)} off the {name} of "
        text += number(loss)
    else:
        text = f"{what} would add about {number(-gain.value)} to the {name} of "
        text += number(loss)
    return f"{text} (gain {_range(gain.interval)}; {p_text(gain.p_value)})."


def _why_not(gain):
    if gain.interval[0] > 0:
        return "That is hardly worth it."
    if gain.interval[1] < 0:
        return "That would do harm."
    return "That is not told from no gain at all."


def _value(value):
    return f"{value:.3g}" if isinstance(value, float) else str(value)
