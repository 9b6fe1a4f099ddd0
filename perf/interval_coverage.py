"""How often 95 % intervals over seeds hold the truth, on made-up values whose truth is known.

    python perf/interval_coverage.py [--repetitions 1000] [--seeds 5,10,20,50]

Prints, for the interquartile mean, the coverage of the intervals that reports show beside that of
plain percentile intervals from equally many resamples, each with its median width, and, for the
probability of improvement, the coverage of Newcombe's interval. Values are made up: regret-like
(exponential, lognormal, a third of the runs at the optimum), symmetric, and with few distinct
values. One problem, or four with different levels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from blox_env.analysis.intervals import improvement, interquartile_mean, iqm

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Array]


def optimum_often(rng: np.random.Generator, n: int) -> Array:
    """Exponential, but 35 % are 0."""
    return np.asarray(np.where(rng.random(n) < 0.35, 0.0, rng.exponential(size=n)), dtype=float)


def few_values(rng: np.random.Generator, n: int) -> Array:
    """Five different values: runs that end in the same few architectures."""
    return rng.choice([0.0, 0.1, 0.15, 0.3, 0.6], size=n, p=[0.3, 0.25, 0.2, 0.15, 0.1])


VALUES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "uniform": lambda rng, n: rng.random(n),
    "exponential": lambda rng, n: rng.exponential(size=n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
    "optimum often": optimum_often,
    "few values": few_values,
}


def levels(problems: int) -> Array:
    """What is added to all values of each problem."""
    return np.linspace(0.0, 0.7 * (problems - 1), problems)


def percentile(strata: list[Array], seed: int) -> tuple[float, float]:
    """The plain stratified percentile interval."""
    found = stats.bootstrap(
        strata,
        lambda *parts, axis: interquartile_mean(np.concatenate(parts, axis=axis)),
        n_resamples=2000, batch=500, vectorized=True, axis=-1, method="percentile",
        random_state=np.random.default_rng(seed),
    )  # fmt: skip
    return found.confidence_interval.low, found.confidence_interval.high


def coverage_of_iqm(
    draw: Draw, problems: int, seeds: int, repetitions: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Coverage and median width of the reports' intervals, then of percentile intervals."""
    many = [draw(rng, 10**6) + level for level in levels(problems)]
    truth = float(interquartile_mean(np.concatenate(many)))
    found = np.empty((repetitions, 4))
    for row in found:
        strata = [draw(rng, seeds) + level for level in levels(problems)]
        seed = int(rng.integers(2**31))
        ours, plain = iqm(strata, seed=seed), percentile(strata, seed)
        row[:] = (
            ours.low <= truth <= ours.high, ours.high - ours.low,
            plain[0] <= truth <= plain[1], plain[1] - plain[0],
        )  # fmt: skip
    shares = found.mean(axis=0)
    widths = np.median(found, axis=0)
    return float(shares[0]), float(widths[1]), float(shares[2]), float(widths[3])


def coverage_of_improvement(
    shift: float, problems: int, seeds: int, repetitions: int, rng: np.random.Generator
) -> tuple[float, float]:
    """True probability of improvement of normal values by a shift, and the interval's coverage."""
    truth = float(stats.norm.cdf(shift / np.sqrt(2)))
    hits = 0
    for _ in range(repetitions):
        values = [rng.normal(size=seeds) for _ in range(problems)]
        others = [rng.normal(shift, size=seeds) for _ in range(problems)]
        found = improvement(values, others)
        hits += found.low <= truth <= found.high
    return truth, hits / repetitions


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--seeds", default="5,10,20,50", help="numbers of seeds, comma-separated")
    arguments = parser.parse_args()
    numbers = [int(n) for n in arguments.seeds.split(",")]
    rng = np.random.default_rng(0)
    error = np.sqrt(0.95 * 0.05 / arguments.repetitions)
    print(f"{arguments.repetitions} repetitions each, made-up values; a share of 95 % found from")
    print(f"so many has a standard error of {error:.1%}\n")
    print("interquartile mean: coverage (median width)")
    print(f"{'values':14} {'problems':>8} {'seeds':>5}  {'studentised':>16}  {'percentile':>16}")
    for problems in (1, 4):
        for name, draw in VALUES.items():
            for seeds in numbers:
                a, b, c, d = coverage_of_iqm(draw, problems, seeds, arguments.repetitions, rng)
                print(
                    f"{name:14} {problems:8} {seeds:5}  {a:7.1%} ({b:6.3f})  {c:7.1%} ({d:6.3f})",
                    flush=True,
                )
    print("\nprobability of improvement: coverage")
    print(f"{'truth':14} {'problems':>8} {'seeds':>5}  {'Newcombe':>16}")
    for problems in (1, 4):
        for shift in (0.0, 0.8, 1.6):
            for seeds in numbers:
                truth, share = coverage_of_improvement(
                    shift, problems, seeds, arguments.repetitions, rng
                )
                print(f"{truth:<14.3f} {problems:8} {seeds:5}  {share:7.1%}", flush=True)


if __name__ == "__main__":
    main()
