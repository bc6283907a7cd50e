"""Knockoffs: power, false discoveries, and time beside peers, as rows of tables."""

import time

import numpy as np
from scipy.linalg import toeplitz

from genestimators.selection.knockoffs._construction import construct, mvr_loss
from genestimators.selection.knockoffs._selector import KnockoffSelector

POWER_HEADER = ["design", "method", "power", "FDP", "published power / FDP", "CPU (s)"]
COPIES_HEADER = ["data", "25 copies, ours (s)", "1 copy, hidimstat (s)", "ratio"]
MVR_HEADER = [
    "correlation",
    "p",
    "ours (s)",
    "knockpy (s)",
    "ratio",
    "our loss / its loss - 1",
]

# Means over the result files of Ren and Barber (2024): 50 copies, target 0.1.
PUBLISHED = {
    "linear, 1000 x 800, amplitude 40": ".407 / .026",
    "linear, 1000 x 800, amplitude 50": ".720 / .030",
    "linear, 1000 x 800, amplitude 60": ".901 / .032",
    "linear, 1000 x 800, amplitude 70": ".969 / .033",
    "logistic, 1000 x 600, amplitude 200": ".903 / .027",
    "linear, 800 x 1000, amplitude 60": ".771 / .024",
}


def derandomised_design(seed, *, n, p, k, amplitude, logistic=False, rho=0.5):
    """The designs of Ren and Barber (2024).

    Rows are normal with correlation rho^|i - j|; k evenly spaced effects of alternating
    sign have sizes N(amplitude / 10, 1) / sqrt(n), the same in every trial.

    Returns
    -------
    X : ndarray of shape (n, p)
    y : ndarray of shape (n,)
    true : ndarray of shape (p,), bool
    correlation : ndarray of shape (p, p)
    """
    effects = np.zeros(p)
    places = np.arange(p // k - 1, p, p // k)
    drawn = np.random.default_rng(24601).normal(amplitude / 10, 1, size=len(places))
    effects[places] = drawn / np.sqrt(n)
    effects[places[1::2]] *= -1
    rng = np.random.default_rng(seed)
    correlation = toeplitz(rho ** np.arange(p))
    X = rng.normal(size=(n, p)) @ np.linalg.cholesky(correlation).T
    score = X @ effects
    if logistic:
        y = np.where(rng.uniform(size=n) < 1 / (1 + np.exp(-score)), "yes", "no")
    else:
        y = score + rng.normal(size=n)
    return X, y, effects != 0, correlation


DESIGNS = {
    "linear, 1000 x 800, amplitude 60": {"n": 1000, "p": 800, "k": 80, "amplitude": 60},
    "linear, 800 x 1000, amplitude 60": {
        "n": 800,
        "p": 1000,
        "k": 100,
        "amplitude": 60,
    },
    "logistic, 1000 x 600, amplitude 200": {
        "n": 1000,
        "p": 600,
        "k": 50,
        "amplitude": 200,
        "logistic": True,
    },
}


def outcome(selector, X, y, true):
    """Power, false discovery proportion and CPU seconds of a selector on one trial."""
    start = time.process_time()
    support = selector.fit(X, y).get_support()
    took = time.process_time() - start
    power = (support & true).sum() / true.sum()
    return power, (support & ~true).sum() / max(1, support.sum()), took


def power_rows(designs=DESIGNS, n_trials=10, n_copies=25):
    """Rows of POWER_HEADER: covariance known and estimated, one copy and several."""
    rows = []
    for name, settings in designs.items():
        correlation = derandomised_design(0, **settings)[3]
        methods = {
            f"{n_copies} copies, covariance known": (n_copies, correlation),
            f"{n_copies} copies, Ledoit-Wolf": (n_copies, "ledoit_wolf"),
            "1 copy, covariance known": (1, correlation),
        }
        found = {method: [] for method in methods}
        for seed in range(n_trials):
            X, y, true, _ = derandomised_design(seed, **settings)
            for method, (copies, covariance) in methods.items():
                selector = KnockoffSelector(
                    n_copies=copies, covariance=covariance, random_state=seed
                )
                found[method].append(outcome(selector, X, y, true))
        for method, trials in found.items():
            power, fdp, took = np.mean(trials, axis=0)
            rows.append(
                [
                    name,
                    method,
                    f"{power:.3f}",
                    f"{fdp:.3f}",
                    PUBLISHED.get(name, "-") if method.startswith("25") else "-",
                    f"{took:.2f}",
                ]
            )
    return rows


def copies_rows(n=500, p=200, n_repeats=3):
    """Rows of COPIES_HEADER: all of ours beside one copy of hidimstat, CPU seconds."""
    try:
        from hidimstat import ModelXKnockoff
    except ImportError as exc:
        raise ImportError(
            "This table needs hidimstat 0.4 (`pip install hidimstat==0.4.0`)."
        ) from exc
    X, y, _, _ = derandomised_design(0, n=n, p=p, k=20, amplitude=60)
    ours, theirs = [], []
    for repeat in range(n_repeats):
        start = time.process_time()
        KnockoffSelector(random_state=repeat).fit(X, y)
        ours.append(time.process_time() - start)
        start = time.process_time()
        ModelXKnockoff(random_state=repeat).fit(X, y).importance()
        theirs.append(time.process_time() - start)
    return [
        [
            f"linear, {n} x {p}",
            f"{np.median(ours):.2f}",
            f"{np.median(theirs):.2f}",
            f"{np.median(np.divide(theirs, ours)):.0f}",
        ]
    ]


def correlations(p):
    """Correlations to build knockoffs for, by name."""
    rng = np.random.default_rng(0)
    loadings = rng.normal(size=(p, 3))
    factor = loadings @ loadings.T + np.diag(rng.uniform(0.2, 2.0, size=p))
    rows = rng.normal(size=(3 * p // 2, p))
    block = np.kron(np.eye(p // 10), np.full((10, 10), 0.9)) + 0.1 * np.eye(p)
    return {
        "AR, 0.5": toeplitz(0.5 ** np.arange(p)),
        "AR, 0.9": toeplitz(0.9 ** np.arange(p)),
        "equicorrelated, 0.5": np.full((p, p), 0.5) + 0.5 * np.eye(p),
        "blocks of 10, 0.9": block,
        "three factors": _scaled(factor),
        "of 1.5 p normal rows": _scaled(rows.T @ rows),
    }


def _scaled(covariance):
    scale = np.sqrt(np.diag(covariance))
    return covariance / np.outer(scale, scale)


def mvr_rows(p=500):
    """Rows of MVR_HEADER: minimum-variance construction beside knockpy, CPU seconds."""
    try:
        from knockpy.mrc import solve_mvr
    except ImportError as exc:
        raise ImportError(
            "This table needs knockpy 1.3 (`pip install knockpy==1.3.5`)."
        ) from exc
    rows = []
    for name, correlation in correlations(p).items():
        start = time.process_time()
        S = construct(correlation, "mvr")
        ours = time.process_time() - start
        start = time.process_time()
        peer = solve_mvr(correlation)
        theirs = time.process_time() - start
        more = mvr_loss(correlation, S) / mvr_loss(correlation, peer) - 1
        rows.append(
            [
                name,
                str(p),
                f"{ours:.2f}",
                f"{theirs:.2f}",
                f"{theirs / ours:.1f}",
                f"{more:.1e}",
            ]
        )
    return rows
