"""Pairs of models that share no data, at several sizes of the training data."""

from itertools import combinations

import numpy as np

from genestimators.diagnostics.decomposition._two_way import TwoWaySums
from genestimators.fitting import fit_over
from genestimators.resampling import Draws
from genestimators.resampling._hashing import derive

_HELD = 2**23  # numbers of figures that are held before they are added up
_HUGE = 1e150  # the square of more is infinite
_PAIRS_OF_FOUR = [*combinations(range(4), 2)]
_SHARED, _APART = (
    tuple(np.array([
        (i, j) for i, one in enumerate(_PAIRS_OF_FOUR)
        for j, other in enumerate(_PAIRS_OF_FOUR) if len({*one, *other}) == n
    ]).T)
    for n in (3, 4)
)  # fmt: skip


class _Between(Draws):
    """What larger subsamples have more than smaller ones of the same seed."""

    def __init__(self, outer, inner):
        super().__init__(
            outer.occurrences,
            outer.n_rows,
            outer.seed,
            row_weight=outer.row_weight,
            importance=outer.importance,
            clusters=outer.clusters,
        )
        self.outer, self.inner = outer, inner

    def counts_of(self, number):
        return self.outer.counts_of(number) - self.inner.counts_of(number)


class Pairs:
    """Fits pairs and adds up what they show.

    Parameters
    ----------
    plan : PairPlan

    Attributes
    ----------
    sums : TwoWaySums
        Figures of the variance of each size, then of bias^2 + noise of each size.
    sizes : ndarray of shape (n_sizes,)
        Mean number of rows in a model, in rows of mean weight.
    votes : ndarray of shape (n_values, n_rows, n_labels) or None
        For the 0-1 loss, at the largest size: how often each label (or set of labels)
        was predicted.
    """

    def __init__(self, plan):
        self.plan = plan
        problem = plan.problem
        self.n_sizes = len(plan.fractions)
        weight_of = [*range(self.n_sizes)] * 2
        self.sums = TwoWaySums(plan.n_values, problem.n_rows, weight_of)
        self.target = plan.loss.target(problem.outputs)
        self._draws = [plan.draws(fraction) for fraction in plan.fractions]
        self._in_bag = np.zeros(self.n_sizes)
        self._others = None  # second pairs of the least size, apart from the first
        if 4 * plan.fractions[0] < 1:
            outer = plan.draws(2 * plan.fractions[0])
            self._others = _Between(outer, self._draws[0])
        self._of_four = []
        self._n_fits = np.zeros(self.n_sizes, dtype=int)
        self.votes = self._labels = None
        if plan.loss.name == "zero_one":
            self._labels = _Labels(self.target, [len(one) for one in problem.classes])
            shape = plan.n_values, problem.n_rows, self._labels.n
            self.votes = np.zeros(shape, dtype=np.int32)

    @property
    def n_pairs(self):
        return self.sums.n_replicates

    @property
    def n_fits(self):
        return int(self._n_fits.sum())

    @property
    def sizes(self):
        return self._in_bag / self._n_fits / self.plan.problem.mean_weight

    @property
    def labels(self):
        """The labels of the rows, as codes."""
        return self._labels.of_target

    def add(self, n_pairs):
        """Fit more pairs."""
        plan = self.plan
        shape = self.n_sizes, 2, plan.n_values, plan.problem.n_rows
        most = max(1, _HELD // int(np.prod(shape)))
        while n_pairs > 0:
            own = min(n_pairs, most)
            terms = np.zeros((own, *shape))
            weight = np.zeros((own, self.n_sizes, plan.problem.n_rows))
            for size in range(self.n_sizes):
                self._fit(size, own, weight[:, size], terms[:, size])
            for of_pair, of_terms in zip(weight, terms, strict=True):
                # Variances of all sizes first, then what is left of the losses.
                flat = np.swapaxes(of_terms, 0, 1).reshape(-1, *shape[2:])
                self.sums.add(of_pair, flat)
            n_pairs -= own

    def training_covariance(self):
        """How much the parts at the least size vary with the data models learn from.

        Of four models with data of their own, pairs that share a model vary together
        by what their shared data do to them; pairs that share none only by the rows
        they are tested on. The difference is the first term in the variance of the
        figures as U-statistics (Hoeffding, 1948).

        Returns
        -------
        covariance : ndarray of shape (n_values, 2, 2), or None
            None where the rows are too few for four models at a time, and some to test
            them on.
        """
        if not self._of_four:
            return None
        of_pairs = np.array(self._of_four)  # (n_replicates, 6, 2, n_values)
        centred = of_pairs - of_pairs.mean(axis=(0, 1))
        products = np.einsum("risv,rjtv->vijst", centred, centred) / len(centred)
        shared = products[:, *_SHARED].mean(axis=1) - products[:, *_APART].mean(axis=1)
        shared = (shared + np.swapaxes(shared, 1, 2)) / 2
        values, vectors = np.linalg.eigh(shared)
        shared = (vectors * np.maximum(values, 0.0)[:, None]) @ np.swapaxes(
            vectors, 1, 2
        )
        return 4 * self.plan.fractions[0] * shared

    def _fit(self, size, n_pairs, weight, terms):
        start = 2 * self.n_pairs
        numbers = range(start, start + 2 * n_pairs)
        streams = [self._read_pairs(self._draws[size], size, numbers)]
        if size == 0 and self._others is not None:
            streams.append(self._read_pairs(self._others, size, numbers))
        for place, found in enumerate(zip(*streams, strict=True)):
            models = [fitted for pair in found for fitted in pair]
            for one, other in combinations(models, 2):
                rows, (first, second) = _common([one, other])
                own = self.plan.loss.pair_terms(first, second, self.target[rows])
                _check_terms(own, self.plan.problem.owner)
                of_rows = np.zeros(weight.shape[1])
                of_rows[one.draw.out_of_bag] = one.draw.out_of_bag_counts
                weight[place, rows] += of_rows[rows]
                terms[place][:, :, rows] += of_rows[rows] * own
            used = weight[place] > 0
            terms[place][:, :, used] /= weight[place, used]
            if len(models) == 4:
                self._add_four(models)

    def _add_four(self, models):
        """Keep what each two of four models show on rows in none of them."""
        rows, answers = _common(models)
        if not len(rows):
            return
        target, weight = self.target[rows], self.plan.problem.weights[rows]
        parts = [
            self.plan.loss.pair_terms(answers[i], answers[j], target)
            for i, j in _PAIRS_OF_FOUR
        ]
        self._of_four.append(np.average(parts, axis=3, weights=weight))

    def _read_pairs(self, draws, size, numbers):
        """Two models at a time."""
        first = None
        # Of four models no two may share a seed, so second pairs have other ones.
        more = ("others",) if draws is self._others else ()
        seed = derive(self.plan.problem.seed, "models", *more)
        for fitted in self._stream(draws, numbers, seed):
            self._in_bag[size] += fitted.draw.counts.sum()
            self._n_fits[size] += 1
            if self.votes is not None and size == self.n_sizes - 1:
                self._vote(fitted)
            if first is None:
                first = fitted
            else:
                yield first, fitted
                first = None

    def _stream(self, draws, numbers, seed):
        plan = self.plan
        problem = plan.problem
        settings = problem.settings()
        if plan.param is None:
            settings["ensembles"] = True
        else:
            settings |= {"param": plan.param, "values": plan.values}
        return fit_over(
            problem.estimator,
            problem.X,
            problem.y,
            draws,
            numbers,
            response=plan.loss.response,
            seed=seed,
            models=False,
            noun="subsample",
            **settings,
        )

    def _vote(self, fitted):
        codes = self._labels.codes(fitted.predictions)
        rows = fitted.draw.out_of_bag
        for value, own in enumerate(codes):
            self.votes[value, rows, own] += 1

    def seed_variance(self, n_pairs):
        """The part of the variance at the largest size that is the learner's own.

        Parameters
        ----------
        n_pairs : int
            How many models to fit twice, with two seeds.

        Returns
        -------
        variance : ndarray of shape (n_values,)
        """
        plan, problem = self.plan, self.plan.problem
        numbers = range(0, 2 * n_pairs, 2)
        streams = [
            self._stream(
                self._draws[-1], numbers, derive(problem.seed, "models", again)
            )
            for again in (1, 2)
        ]
        total, of_weight = np.zeros(plan.n_values), 0.0
        for one, other in zip(*streams, strict=True):
            rows, weight = one.draw.out_of_bag, one.draw.out_of_bag_counts
            terms = plan.loss.pair_terms(
                one.predictions, other.predictions, self.target[rows]
            )
            total += terms[0] @ weight
            of_weight += weight.sum()
        return total / of_weight


def _check_terms(terms, owner):
    """Refuse losses whose squares are no numbers, or nothing."""
    most = np.abs(terms).max(initial=0.0)
    if not most < _HUGE:
        raise ValueError(
            f"{owner} needs finite losses. Got {most:.3g} for a row in neither of a "
            "pair of subsamples; see whether the model predicts NaN or infinity, or "
            "scale a huge target down."
        )
    if 0 < most < 1 / _HUGE:
        raise ValueError(
            f"{owner} needs losses whose squares are not nothing. Got {most:.3g} as "
            "the largest of a pair of subsamples; scale a tiny target up."
        )


def _common(models):
    """The rows that are in no model, and the answers of all models for them."""
    rows = models[0].draw.out_of_bag
    for fitted in models[1:]:
        rows = np.intersect1d(rows, fitted.draw.out_of_bag, assume_unique=True)
    return rows, [
        fitted.predictions[:, np.searchsorted(fitted.draw.out_of_bag, rows)]
        for fitted in models
    ]


class _Labels:
    """Labels of one output, or sets of labels of several, as codes."""

    def __init__(self, target, n_classes):
        self._places = np.cumprod([1, *n_classes[:-1]])
        self._known, self.of_target = np.unique(
            self._joint(target), return_inverse=True
        )
        if len(n_classes) == 1:
            self._known = np.arange(n_classes[0])
            self.of_target = self._joint(target)
        # Sets of labels that no row has are all alike: wrong.
        self.n = len(self._known) + (len(n_classes) > 1)

    def _joint(self, codes):
        return codes.astype(np.intp) @ self._places

    def codes(self, answers):
        """Codes of predicted labels, (n_values, n_rows)."""
        joint = self._joint(answers)
        place = np.minimum(np.searchsorted(self._known, joint), len(self._known) - 1)
        return np.where(self._known[place] == joint, place, self.n - 1)
