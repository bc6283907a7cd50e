"""What a selector says about features, by the criterion as it is set now."""

import numpy as np

from genestimators import _params
from genestimators._exceptions import NothingSelectedWarning, warn_user
from genestimators.selection._gather import fingerprint
from genestimators.selection._halves import is_halving, is_paired
from genestimators.selection._memory import blocks, remembered_null, word_of
from genestimators.selection.error_control._criteria import (
    ALPHA,
    THRESHOLD,
    WITH_ALPHA,
    WITH_THRESHOLD,
    check_draws,
    least_alpha,
    select,
)
from genestimators.selection.error_control._q_values import runs_needed
from genestimators.selection.error_control._stability import selection_stability

MOST_SIZES = 320  # of stability paths, as of nested models; all would take p^2 numbers
N_NULL_RUNS = 19  # with them a rate of 0.05 can be told


class EvidenceReader:
    """Applies the rule to the evidence whenever its parameters have changed."""

    def _check_rule(self, request=None):
        """Check the parameters of the rule, which may have changed since `fit`."""
        _params.check_parameters(self)
        if self.alpha != ALPHA and self.criterion not in WITH_ALPHA:
            raise ValueError(
                f"`alpha` belongs to the criteria {', '.join(WITH_ALPHA)}. Got "
                f"alpha={self.alpha!r} with criterion={self.criterion!r}; leave it at "
                f"{ALPHA}."
            )
        if self.threshold is not None and self.criterion not in WITH_THRESHOLD:
            raise ValueError(
                f"`threshold` belongs to the criteria {', '.join(WITH_THRESHOLD)}. Got "
                f"threshold={self.threshold!r} with criterion={self.criterion!r}; "
                "leave it at None."
            )
        if self.criterion == "fdr" and self.alpha >= 1:
            raise ValueError(
                "`alpha` is a rate of false discoveries with criterion='fdr' and must "
                f"be below 1. Got {self.alpha!r}."
            )
        if self.min_features_to_select > self.n_features_in_:
            raise ValueError(
                "`min_features_to_select` must not exceed the number of features, "
                f"{self.n_features_in_}. Got {self.min_features_to_select!r}."
            )
        most = self.max_features
        if most is not None and most < self.min_features_to_select:
            raise ValueError(
                "`max_features` must be at least `min_features_to_select`. Got "
                f"{most!r} and {self.min_features_to_select!r}."
            )
        request = self._request if request is None else request
        check_draws(
            self.criterion,
            paired=is_paired(request.resampling),
            halving=is_halving(request.resampling),
        )
        forced = int(request.forced[request.labels].sum())
        if most is not None and forced > most:
            raise ValueError(
                "`max_features` must leave room for the features of `always_keep` and "
                f"their groups, {forced}. Got {most!r}."
            )

    def _select(self):
        """What the rule says, worked out again when its parameters change."""
        key = (self.criterion, self.alpha, self.threshold)
        if self._selected is not None and self._selected[0] == key:
            return self._selected[1]
        null = self._null() if self.criterion == "fdr" else None
        forced = self._request.forced
        found = select(self._evidence, *key, null_scores=null, forced=forced)
        self._selected = key, found
        return found

    def _support(self):
        """Which features are kept."""
        found, request = self._select(), self._request
        sizes = np.bincount(request.labels)
        wanted = (found.significant | request.forced)[found.order]
        # Those that are always kept come first, then those that are significant.
        running = np.cumsum(sizes[found.order])
        # A unit that brings the number of features up to the least is kept whole.
        wanted |= running - sizes[found.order] < self.min_features_to_select
        if self.max_features is not None:
            wanted &= running <= self.max_features
            if sizes[found.order[wanted]].sum() < self.min_features_to_select:
                raise ValueError(
                    "`max_features` must leave room for the best groups of features, "
                    f"which are kept whole. Got {self.max_features!r}, and the sizes "
                    f"of the groups begin with {sizes[found.order[:3]].tolist()}; "
                    "raise it, or set `min_features_to_select=0`."
                )
        kept = np.zeros(len(sizes), dtype=bool)
        kept[found.order[wanted]] = True
        self._warn_of_nothing(found)
        return kept[request.labels]

    def _warn_of_nothing(self, found):
        """Say once for each rule that nothing was significant but is kept."""
        request = self._request
        n_forced = int(request.forced[request.labels].sum())
        if found.significant.any() or n_forced >= self.min_features_to_select:
            return
        rule = self._selected[0]
        if self._warned_of == rule:
            return
        self._warned_of = rule
        best = "best" if self.min_features_to_select == 1 else "best ones"
        warn_user(
            f"No feature is significant by criterion={self.criterion!r}; the {best} "
            f"will be kept all the same, since min_features_to_select="
            f"{self.min_features_to_select}. Set it to 0 for an empty selection."
            + self._no_room(),
            NothingSelectedWarning,
        )

    def _no_room(self):
        """What to say where the rule could not have selected anything."""
        n_units = int((~self._request.forced).sum())
        used = (self._evidence.ranks <= self._evidence.n_units).any(axis=0)
        n_used = int((used & ~self._request.forced).sum())
        if "pfer" not in self.criterion or not n_used:
            return ""
        n_pairs = self._evidence.n_draws // 2
        least = least_alpha(self.criterion, self.threshold, n_used, n_pairs)
        if least <= self.alpha * (1 + 1e-9):
            return ""
        digit = 10.0 ** (np.floor(np.log10(least)) - 2)
        least = np.ceil(least / digit - 1e-6) * digit  # rounded down it would not do
        number = f"{n_used} of {n_units}" if n_used < n_units else f"{n_units}"
        at = f"alpha={self.alpha:g}"
        if self.criterion in WITH_THRESHOLD:
            at += f" and threshold={self.threshold or THRESHOLD:g}"
        return (
            f" At {at} no draw may keep even one of {number} units, so nothing can be "
            f"selected; that takes an alpha of {least:.3g} or more."
        )

    def _null(self):
        """Scores of the runs with permuted y that the rate `alpha` needs."""
        n_runs = max(N_NULL_RUNS, runs_needed(self.alpha))
        made = 0 if self._null_scores is None else len(self._null_scores)
        if made < n_runs:
            if self._request.X is None:
                raise ValueError(
                    f"criterion='fdr' at alpha={self.alpha!r} needs {n_runs} runs with "
                    f"permuted y, and {made} were made before this selector was "
                    "pickled or copied, without the data; fit it again."
                )
            if fingerprint(self._request) != self._words:
                raise ValueError(
                    f"criterion='fdr' at alpha={self.alpha!r} needs runs with permuted "
                    "y on the data of the fit, and X or y have been changed since; fit "
                    "again."
                )
            found = [] if self._null_scores is None else [self._null_scores]
            for block in blocks(made, n_runs):
                if self.memory is not None and self._word is None:
                    self._word = word_of(self._request)
                found.append(
                    remembered_null(
                        self.memory,
                        self._word,
                        self._request,
                        block,
                        n_jobs=self.n_jobs,
                    )
                )
            self._null_scores = np.concatenate(found)
        return self._null_scores[:n_runs]

    @property
    def scores_(self):
        """Mean importance over the draws, for each feature."""
        return self._of_features(lambda found: self._evidence.scores.mean(axis=0))

    @property
    def selection_probabilities_(self):
        """Share of the draws that select each feature."""
        return self._of_features(lambda found: found.frequencies)

    @property
    def q_values_(self):
        """q-value of each feature, with criterion="fdr"."""
        return self._of_features(lambda found: found.q_values)

    @property
    def expected_false_positives_(self):
        """False positives to expect if each feature is the last to be selected."""
        return self._of_features(lambda found: found.expected_false_positives)

    @property
    def n_features_significant_(self):
        """Number of features that the criterion selects."""
        found = self._known()
        return int(np.bincount(self._request.labels)[found.significant].sum())

    @property
    def stability_(self):
        """Stability of the draws' selections (Nogueira et al., 2018)."""
        return self._stability().value

    @property
    def stability_interval_(self):
        """95 % confidence interval of `stability_`."""
        return self._stability().interval

    @property
    def n_selected_(self):
        """How many units count as selected in a draw."""
        return self._known().size

    @property
    def stability_paths_(self):
        """Share of the draws in which a feature is among the first k."""
        evidence = self._fitted()
        sizes = np.arange(1, min(evidence.n_units, MOST_SIZES) + 1)
        return evidence.path(sizes)[:, self._request.labels]

    @property
    def nested_sizes_(self):
        """Sizes of the nested models."""
        return self._fitted().sizes

    @property
    def nested_losses_(self):
        """Losses of the nested models on the rows that each draw left out."""
        return self._fitted().losses

    @property
    def ranks_(self):
        """Ranks of the units in each draw."""
        return self._fitted().ranks

    def _fitted(self):
        if not hasattr(self, "_evidence"):
            raise AttributeError("This selector is not fitted yet; call `fit` first.")
        return self._evidence

    def _stability(self):
        found = self._known()
        chosen = self._evidence.ranks <= found.size
        forced = self._request.forced  # the same in all draws, by no choice of theirs
        return selection_stability(chosen if forced.all() else chosen[:, ~forced])

    def _known(self):
        """What the rule says; an AttributeError where it cannot say anything."""
        self._fitted()
        try:
            self._check_rule()
            return self._select()
        except (ValueError, TypeError) as error:
            raise AttributeError(str(error)) from error

    def _of_features(self, read):
        values = read(self._known())
        if values is None:
            raise AttributeError(
                f"There is no such figure with criterion={self.criterion!r}."
            )
        return values[self._request.labels]
