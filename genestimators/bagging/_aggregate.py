"""How the answers of the members become the answer of the ensemble."""

import numpy as np

TRIMMED_SHARE = 0.1  # cut off at either end
MOST_ANSWERS = 1 << 24  # numbers held at a time where every answer is needed
SUMMED = ("mean", "vote", "logit")  # need only the sum of the answers


def median_answer(answers):
    """Median over members of answers (n_members, n_rows, width); NaN is no answer."""
    ordered, count = _sorted(answers)
    middle = np.take_along_axis(ordered, ((count - 1) // 2)[None], axis=0)[0]
    upper = np.take_along_axis(ordered, (count // 2)[None], axis=0)[0]
    return np.where(count > 0, (middle + upper) / 2, np.nan)


def trimmed_answer(answers):
    """Mean over members without a tenth of the answers at either end."""
    ordered, count = _sorted(answers)
    cut = np.floor(TRIMMED_SHARE * count).astype(np.intp)
    place = np.arange(len(answers))[:, None, None]
    inside = (place >= cut) & (place < count - cut)
    kept = np.where(inside, ordered, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return kept / (count - 2 * cut)


def _sorted(answers):
    """Answers in order, missing ones last, and how many there are."""
    ordered = np.sort(answers, axis=0)
    count = np.count_nonzero(~np.isnan(answers), axis=0)
    return ordered, np.maximum(count, 0)


def normalised(answer, response, aggregate):
    """Averages of probabilities as probabilities: each output sums to one.

    Means are there already; medians and trimmed means need scaling, and means of
    logarithms the exponential first.
    """
    if response.kind in ("predict", "decision"):
        return answer
    if response.kind == "log_probability":
        answer = answer.copy()
        for part in response.slices:
            answer[:, part] -= answer[:, part].max(axis=1, keepdims=True)
        answer = np.exp(answer)
    elif aggregate in SUMMED:
        return answer
    out = np.empty_like(answer)
    for part in response.slices:
        total = answer[:, part].sum(axis=1, keepdims=True)
        even = 1.0 / answer[:, part].shape[1]
        with np.errstate(invalid="ignore", divide="ignore"):
            out[:, part] = np.where(total > 0, answer[:, part] / total, even)
        out[np.isnan(total[:, 0]), part] = np.nan
    return out


def labels_of(answer, response):
    """The predicted labels, one column for each output."""
    if response.kind == "decision" and answer.shape[1] == 1:
        return response.classes[0][(answer[:, 0] > 0).astype(np.intp)]
    columns = [
        labels[np.argmax(answer[:, part], axis=1)]
        for part, labels in zip(response.slices, response.classes, strict=True)
    ]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def log_odds(probability):
    """Probabilities as decisions with the same ranking and the same winner."""
    logs = np.log(np.maximum(probability, np.finfo(float).tiny))
    return logs[:, 1] - logs[:, 0] if probability.shape[1] == 2 else logs
