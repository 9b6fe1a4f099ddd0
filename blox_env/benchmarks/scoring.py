"""Scores of a table: on what optimisers find, elsewhere, and beside what is possible.

Every figure stands beside the noise ceiling: what a perfect table would reach against the same
noisy trainings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.grouping import Grouped, group_mean
from blox_env.benchmarks.levels import SHARED
from blox_env.benchmarks.surrogate import Prediction
from blox_env.benchmarks.table import TableBenchmark
from blox_env.benchmarks.trainings import Trainings
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace

LEVELS = (50, 80, 95)  # per cent, of intervals
TENTHS = 10
FOR_TENTHS = 50  # later architectures in each of them, at least


def scores(
    truth: FloatArray, predicted: FloatArray, std: FloatArray, noise_var: FloatArray
) -> dict[str, float]:
    """Compare predictions with means of trainings.

    Args:
        truth: means of trainings ``(n,)``.
        predicted: ``(n,)``.
        std: uncertainty of the predictions, without the truth's noise ``(n,)``.
        noise_var: variance of the truth's noise ``(n,)``.

    Returns:
        Bias (predicted minus truth) and its standard error, R² and its ceiling, Kendall's τ, also
        sparse (predictions rounded to 0.1 %, as NAS-Bench-301 does), Spearman's ρ, mean absolute
        error, and what share of truths lies in intervals of 50, 80 and 95 %.
    """
    with extra("surrogate", "scoring a surrogate"):
        from scipy.stats import kendalltau, norm, spearmanr
    n = len(truth)
    residual = predicted - truth
    total = float(((truth - truth.mean()) ** 2).sum())
    wide = np.sqrt(std**2 + noise_var)
    found = {
        "architectures": n,
        "bias": float(residual.mean()),
        "bias_error": float(residual.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan"),
        "r2": 1 - float((residual**2).sum()) / total if total else float("nan"),
        "r2_ceiling": 1 - float(noise_var.sum()) / total if total else float("nan"),
        "kendall_tau": float(kendalltau(truth, predicted).statistic),
        "sparse_kendall_tau": float(kendalltau(truth, np.round(predicted, 3)).statistic),
        "spearman": float(spearmanr(truth, predicted).statistic),
        "mean_absolute_error": float(np.abs(residual).mean()),
        "std_of_truth": float(truth.std(ddof=1)) if n > 1 else float("nan"),
    }
    for level in LEVELS:
        reach = norm.ppf(0.5 + level / 200)
        found[f"coverage_{level}"] = float((np.abs(residual) < reach * wide).mean())
    return found


def held_out_scores(
    raw: Trainings, grouped: Grouped, held_out: Prediction, part: NDArray[np.bool_]
) -> dict[str, Any] | None:
    """Scores of out-of-fold predictions on some architectures, None where there are too few.

    Args:
        raw: the trainings.
        grouped: the same by architecture.
        held_out: out-of-fold predictions.
        part: which architectures ``(m,)``.
    """
    if part.sum() < 2 * TENTHS:
        return None
    answer: dict[str, Any] = {}
    for label, column in (("val_acc", -1), ("test_acc", 0)):
        truth, noise = grouped.mean[part, column], grouped.noise_of_mean[part, column]
        predicted, std = held_out.mean[part, column], held_out.std[part, column]
        answer[label] = scores(truth, predicted, std, noise) | {
            "std_of_one_training": float(np.sqrt(grouped.noise[part, column].mean())),
        }
        if label == "val_acc":
            answer["tenths"] = by_tenths(truth, predicted, std, noise)
    answer["second_training"] = second_training(raw, grouped, part, held_out.mean[:, -1])
    return answer


def by_tenths(
    truth: FloatArray, predicted: FloatArray, std: FloatArray, noise_var: FloatArray
) -> list[dict[str, float]]:
    """Bias and coverage by tenths of the prediction, from the worst to the best.

    Args:
        truth: as of :func:`scores`.
        predicted: as there.
        std: as there.
        noise_var: as there.
    """
    wanted = ("bias", "bias_error", *(f"coverage_{level}" for level in LEVELS))
    answer = []
    for rows in np.array_split(np.argsort(predicted, kind="stable"), TENTHS):
        found = scores(truth[rows], predicted[rows], std[rows], noise_var[rows])
        chosen = {key: value for key, value in found.items() if key in wanted}
        answer.append({"predicted": float(predicted[rows].mean()), **chosen})
    return answer


def second_training(
    raw: Trainings, grouped: Grouped, part: NDArray[np.bool_], predicted: FloatArray
) -> dict[str, float] | None:
    """Agreement of two trainings of the same architecture; None without pairs.

    Args:
        raw: the trainings.
        grouped: the same by architecture.
        part: which architectures ``(m,)``.
        predicted: out-of-fold predictions ``(m,)``, which say what the best quarter is: were it
            chosen by the two trainings themselves, the lucky would be among it, whose second
            training tends to be worse the better the first was.
    """
    pairs, expected = [], []
    values = raw.val_acc[:, -1]
    order = np.argsort(grouped.member, kind="stable")
    starts = np.searchsorted(grouped.member[order], np.arange(len(grouped.x)))
    for number in np.flatnonzero(part & (grouped.count > 1)):
        two = order[starts[number] : starts[number] + 2]
        pairs.append(values[two])
        expected.append(predicted[number])
    if len(pairs) < TENTHS:
        return None
    first, second = np.array(pairs).T
    nothing = np.zeros(len(first))
    both = scores(second, first, nothing, nothing)
    between = np.var((first + second) / 2, ddof=1) - np.mean((first - second) ** 2) / 4
    within = np.mean((first - second) ** 2) / 2
    best = np.array(expected) >= np.quantile(expected, 0.75)
    best_between = np.cov(first[best], second[best])[0, 1]
    return {
        "pairs": len(first),
        "r2": both["r2"],
        "kendall_tau": both["kendall_tau"],
        "sparse_kendall_tau": both["sparse_kendall_tau"],
        "mean_absolute_error": both["mean_absolute_error"],
        "intraclass_correlation": float(between / (between + within)),
        "intraclass_correlation_best_quarter": float(
            best_between / (best_between + np.mean((first - second)[best] ** 2) / 2)
        ),
    }


def noise_test(raw: Trainings, grouped: Grouped, held_out: Prediction) -> dict[str, float] | None:
    """NAS-Bench-301's test: does one training or the surrogate predict other trainings better?

    Args:
        raw: the trainings.
        grouped: the same by architecture.
        held_out: out-of-fold predictions.

    Returns:
        Mean absolute errors of a table of first trainings and of held-out predictions, both against
        the mean of the other trainings of architectures with three or more; None without such.
    """
    numbers, one, truth = first_and_others(raw, grouped, 1)
    if len(numbers) < TENTHS:
        return None
    return {
        "architectures": len(numbers),
        "error_of_one_training": float(np.abs(one - truth).mean()),
        "error_of_surrogate": float(np.abs(held_out.mean[numbers, -1] - truth).mean()),
    }


def first_and_others(
    raw: Trainings, grouped: Grouped, own: int
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Means of the first trainings of uniform architectures, and of at least two others of each.

    Args:
        raw: the trainings.
        grouped: the same by architecture.
        own: how many are the first.

    Returns:
        Numbers of the architectures, and both means of their last validation accuracies ``(k,)``.
    """
    values = raw.val_acc[:, -1]
    order = np.lexsort((raw.seed, grouped.member))
    starts = np.searchsorted(grouped.member[order], np.arange(len(grouped.x)))
    numbers = np.flatnonzero((grouped.count >= own + 2) & grouped.uniform)
    lines = [values[order[starts[i] : starts[i] + grouped.count[i]]] for i in numbers]
    first = np.array([line[:own].mean() for line in lines])
    return numbers, first, np.array([line[own:].mean() for line in lines])


def fresh_scores(raw: Trainings, judged: TableBenchmark) -> dict[str, Any]:
    """Scores of a finished table on trainings that were made after it.

    The noise of a training is what the table has measured at about its own accuracy; where it has
    none, what these trainings tell.

    Args:
        raw: the trainings.
        judged: the table.
    """
    x, member, count = np.unique(raw.x, axis=0, return_inverse=True, return_counts=True)
    values = raw.val_acc[:, -1]
    mean = group_mean(values[:, None], member, count)[:, 0]
    said = judged.evaluate(x)
    noise = judged.noise_variance(said.val_acc)
    if len(values) > len(x):
        own = float(((values - mean[member]) ** 2).sum() / (len(values) - len(x)))
        noise = np.where(np.isfinite(noise), noise, own)
    noise = np.nan_to_num(noise)
    parts = (mean, said.val_acc, said.val_std, noise / count)
    found: dict[str, Any] = scores(*parts)
    if len(x) >= FOR_TENTHS * TENTHS:
        found["tenths"] = by_tenths(*parts)
    seed_std, share = _common_part(said.val_acc[member] - values, raw.seed)
    found["bias_error"] = float(np.hypot(found["bias_error"], seed_std * share))
    return found | {
        "trainings": len(values),
        "seeds": len(np.unique(raw.seed)),
        "std_of_seeds": seed_std,
        "trained_before": int((said.source == "trained").sum()),
        "std_of_one_training": float(np.sqrt(noise.mean())),
    }


def _common_part(residual: FloatArray, seed: IntArray) -> tuple[float, float]:
    """Deviation between seeds of what all architectures have in common, and how much of it stays.

    A seed decides about the order of the pictures as well, so that trainings with the same one are
    high or low together: many architectures do not average that out.

    Args:
        residual: of each training ``(n,)``.
        seed: of each training ``(n,)``.

    Returns:
        The deviation, 0 where no two seeds are shared by several architectures; and
        its weight in the mean of all residuals, the root of the sum of squared shares.
    """
    _, group_of, count = np.unique(seed, return_inverse=True, return_counts=True)
    shared = count >= SHARED
    if shared.sum() < 2:
        return 0.0, 0.0
    mean = np.bincount(group_of, residual) / count
    within = np.bincount(group_of, (residual - mean[group_of]) ** 2) / np.maximum(count - 1, 1)
    variance = mean[shared].var(ddof=1) - (within / count)[shared].mean()
    share = np.sqrt(((count[shared] / len(seed)) ** 2).sum())
    return float(np.sqrt(max(0.0, variance))), float(share)


def structure(space: SearchSpace, grouped: Grouped) -> dict[str, float]:
    """Share of the variance of uniform architectures that single structural numbers explain.

    Args:
        space: of the architectures.
        grouped: trainings by architecture.

    Returns:
        Squared correlations with the mean validation accuracy, by name of the number.
    """
    part = grouped.uniform
    x, y = grouped.x[part], grouped.mean[part, -1]
    numbers: dict[str, FloatArray] = {}
    if "depth" in space.feature_kinds():
        depth = space.features(x, "depth")
        numbers["longest chain without a shortcut"] = depth[:, -6]
        numbers["shortest chain without a shortcut"] = depth[:, -5]
        numbers["paths"] = depth[:, -4]
        for place, name in ((-3, "conv"), (-2, "mbconv"), (-1, "bconv")):
            numbers[f"number of {name}"] = depth[:, place]
    for name in ("params", "macs"):
        if hasattr(space, name):
            numbers[name] = np.asarray(getattr(space, name)(x), dtype=np.float64)
    return {
        name: float(np.corrcoef(values, y)[0, 1] ** 2) if values.std() > 0 else 0.0
        for name, values in numbers.items()
    }


def training_facts(raw: Trainings, grouped: Grouped) -> dict[str, Any]:
    """Numbers of trainings, their accuracies, and where they ran.

    Args:
        raw: the trainings.
        grouped: the same by architecture.
    """
    asked, how_many = np.unique([a.partition(":")[0] for a in raw.asked_by], return_counts=True)
    places, on = np.unique(raw.ran_on, return_counts=True)
    timed = raw.train_time_s[np.isfinite(raw.train_time_s)]
    return {
        "trainings": len(raw),
        "architectures": len(grouped.x),
        "uniform_architectures": int(grouped.uniform.sum()),
        "repeated_architectures": int((grouped.count > 1).sum()),
        "three_or_more": int((grouped.count > 2).sum()),
        "most_trainings_of_one": int(grouped.count.max()),
        "asked_by": dict(zip(asked.tolist(), how_many.tolist(), strict=True)),
        "ran_on": dict(zip(places.tolist(), on.tolist(), strict=True)),
        "val_acc": quantiles(raw.val_acc[:, -1]),
        "test_acc": quantiles(raw.test_acc),
        "timed": len(timed),
        "cpu_s_mean": float(timed.mean()) if len(timed) else float("nan"),
        "cpu_s_quantiles": [float(v) for v in np.quantile(timed, [0.05, 0.5, 0.95])]
        if len(timed)
        else [],
    }


def quantiles(values: NDArray[Any]) -> dict[str, float]:
    """Minimum, 10 %, median, 90 % and maximum."""
    cuts = (0, 0.1, 0.5, 0.9, 1)
    names = ("min", "q10", "median", "q90", "max")
    return dict(zip(names, map(float, np.quantile(values, cuts)), strict=True))
