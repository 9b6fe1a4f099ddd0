"""Evaluations of families of surrogates, where searches end and elsewhere.

After NAS-Bench-301's evaluation (Siems et al., ICLR 2022): held-out architectures, samples of
several sizes, what each agent found left out in turn, and the test whether a table of single
trainings or the surrogate is nearer to the truth. What one agent or another finds is what a
surrogate is asked for, so figures on uniform architectures never stand alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks.families import load_family
from blox_env.benchmarks.grouping import Grouped, group, noise_table
from blox_env.benchmarks.levels import seed_levels, take_off
from blox_env.benchmarks.scoring import first_and_others, scores
from blox_env.benchmarks.surrogate import Encoder, best_weights, fold_of
from blox_env.benchmarks.trainings import Trainings
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.progress import Track, untracked
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace

FEWEST = 20  # architectures from which a figure is given
DRAWS = 200  # of noise, for the ceiling of a rank correlation
MIXTURE, HELD_OUT = "mixture", "held out"
_SCORES = (
    "architectures", "r2", "sparse_kendall_tau", "mean_absolute_error", "bias", "bias_error",
)  # fmt: skip
_NO_AGENTS = ("top", "front")  # what the table itself proposed


def evaluate_families(
    raw: Trainings,
    space: SearchSpace,
    families: Sequence[str],
    *,
    sizes: Sequence[int] = (),
    folds: int = 10,
    seed: int = 0,
    track: Track = untracked,
) -> dict[str, Any]:
    """Evaluate families on trainings.

    Args:
        raw: the trainings.
        space: of the architectures.
        families: names; a mixture of all is evaluated as well where there are two or more.
        sizes: numbers of uniform architectures to fit on, the others are predicted.
        folds: that held-out predictions are made with.
        seed: of folds, samples and models.
        track: walks through what is fitted and shows how far it is.

    Returns:
        By family, scores of held-out predictions on ``uniform`` architectures, on the ``best``
        tenth of them, and on what optimisers ``found``; scores by size of the ``samples``, and by
        ``agents`` whose finds were left out; ``ceiling``: what a perfect surrogate would get;
        ``noise_test``: errors of one and two trainings and of each family at predicting others.
    """
    check_positive_int("folds", folds, 2)
    for name in families:
        load_family(name)  # a wrong name is told before anything is fitted
    grouped = group(take_off(raw, seed_levels(raw)), noise_table(raw))
    fold = fold_of(len(grouped.x), folds, seed)
    agents = _agents(raw, grouped)
    splits: dict[str, list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]] = {
        HELD_OUT: [(fold != k, fold == k) for k in range(folds)],
        **{str(size): [_sample(grouped, size, seed)] for size in sizes},
        **{agent: [(~own, own)] for agent, own in agents.items()},
    }
    jobs = [(what, name) for what in splits for name in families]
    predicted: dict[str, dict[str, FloatArray]] = {what: {} for what in splits}
    for number in track("fitting surrogates", range(len(jobs))):
        what, name = jobs[number]
        values = np.full(len(grouped.x), np.nan)
        for k, (seen, unseen) in enumerate(splits[what]):
            if seen.sum() >= FEWEST and unseen.any():
                said = fit_predict(name, space, grouped, seen, unseen, seed + k)
                values[unseen] = said[:, -1]
        predicted[what][name] = values
    if len(families) > 1:
        for by_family in predicted.values():
            by_family[MIXTURE] = _mixed(by_family, grouped, fold < folds // 2)
    parts = _parts(predicted[HELD_OUT], grouped)
    return {
        "trainings": len(raw),
        "architectures": len(grouped.x),
        "families": {
            name: {
                label: score(grouped, values, part & np.isfinite(values))
                for label, part in parts.items()
            }
            for name, values in predicted[HELD_OUT].items()
        },
        "samples": {str(size): _every(predicted[str(size)], grouped) for size in sizes},
        "agents": {agent: _every(predicted[agent], grouped) for agent in agents},
        "ceiling": {
            label: ceiling(grouped, _any(predicted[HELD_OUT]), part, seed)
            for label, part in parts.items()
        },
        "noise_test": _noise_test(raw, grouped, predicted[HELD_OUT]),
    }


def fit_predict(
    name: str,
    space: SearchSpace,
    grouped: Grouped,
    seen: NDArray[np.bool_],
    unseen: NDArray[np.bool_],
    seed: int,
) -> FloatArray:
    """Predictions of architectures by a model fitted on others, ``(unseen, targets)``.

    Args:
        name: of the family.
        space: of the architectures.
        grouped: trainings by architecture, ``m`` of them.
        seen: which the model is fitted on ``(m,)``.
        unseen: which it predicts ``(m,)``.
        seed: of the model.
    """
    family = load_family(name)
    encode = Encoder(space, grouped.x[seen], family.encodings)
    features, y = encode(grouped.x[seen]), grouped.mean[seen]
    noise = grouped.even_noise_of_mean[seen]
    chosen = family.choose(features, y, noise, seed)
    model = family.fit(features, y, noise, chosen=chosen, seed=seed)
    return model.predict(encode(grouped.x[unseen]))


def score(
    grouped: Grouped, predicted: FloatArray, part: NDArray[np.bool_]
) -> dict[str, float] | None:
    """R², sparse Kendall's τ, mean absolute error and bias of predictions; None for too few.

    Args:
        grouped: trainings by architecture, ``m`` of them.
        predicted: last validation accuracies ``(m,)``.
        part: which of them count ``(m,)``.
    """
    if part.sum() < FEWEST:
        return None
    noise = grouped.noise_of_mean[part, -1]
    every = scores(grouped.mean[part, -1], predicted[part], np.zeros(len(noise)), noise)
    return {key: every[key] for key in _SCORES}


def ceiling(
    grouped: Grouped, likely: FloatArray, part: NDArray[np.bool_], seed: int
) -> dict[str, float | None] | None:
    """Scores that the truth itself would get against the same noisy means; None for too few.

    R² and the error follow from the noise. For τ, noise is added to predictions, stretched to the
    variance that the means have beyond their noise.

    Args:
        grouped: trainings by architecture, ``m`` of them.
        likely: good predictions of their last validation accuracies ``(m,)``.
        part: which of them count ``(m,)``.
        seed: of the noise.
    """
    if part.sum() < FEWEST:
        return None
    with extra("surrogate", "scoring a surrogate"):
        from scipy.stats import kendalltau
    truth, noise = grouped.mean[part, -1], grouped.noise_of_mean[part, -1]
    spread = max(float(truth.var() - noise.mean()), 1e-12)
    said = likely[part]
    said = (said - said.mean()) * np.sqrt(spread / max(float(said.var()), 1e-12)) + truth.mean()
    rng = np.random.default_rng(seed)
    drawn = said + rng.normal(size=(DRAWS, len(said))) * np.sqrt(noise)
    rounded = np.round(said, 3)
    tau = np.mean([kendalltau(line, rounded).statistic for line in drawn])
    return {
        "r2": 1 - float(noise.sum() / ((truth - truth.mean()) ** 2).sum()),
        # none where noise is all that is seen
        "sparse_kendall_tau": float(tau) if np.isfinite(tau) else None,
        "mean_absolute_error": float(np.sqrt(noise * 2 / np.pi).mean()),
    }


def _agents(raw: Trainings, grouped: Grouped) -> dict[str, NDArray[np.bool_]]:
    """Architectures that only one agent found, by agent, where there are enough ``(m,)``."""
    asked = np.array([line.split(":")[1] if ":" in line else "" for line in raw.asked_by])
    answer = {}
    for agent in sorted({each for each in asked if not each.startswith(_NO_AGENTS)} - {""}):
        by_it = np.bincount(grouped.member, asked == agent, len(grouped.x))
        own = (by_it == grouped.count) & grouped.found
        if own.sum() >= FEWEST:
            answer[agent] = own
    return answer


def _sample(grouped: Grouped, size: int, seed: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Some uniform architectures to fit on, and all other uniform ones."""
    uniform = np.flatnonzero(grouped.uniform)
    order = np.random.default_rng([seed, 7]).permutation(uniform)
    seen, unseen = np.zeros((2, len(grouped.x)), dtype=bool)
    seen[order[:size]] = True
    unseen[order[size:]] = True
    return seen, unseen


def _parts(said: dict[str, FloatArray], grouped: Grouped) -> dict[str, NDArray[np.bool_]]:
    """Architectures on which scores are given; the best tenth is chosen by held-out predictions."""
    likely = _any(said)
    uniform = np.flatnonzero(grouped.uniform)
    best = np.zeros(len(likely), dtype=bool)
    best[uniform[np.argsort(-likely[uniform], kind="stable")[: max(1, len(uniform) // 10)]]] = True
    return {"uniform": grouped.uniform, "best": best, "found": grouped.found}


def _any(said: dict[str, FloatArray]) -> FloatArray:
    return said.get(MIXTURE, next(iter(said.values())))


def _mixed(said: dict[str, FloatArray], grouped: Grouped, first: NDArray[np.bool_]) -> FloatArray:
    """The mixture with the least error; weights for one half come from the other."""
    stacked = np.stack(list(said.values()))
    known = np.isfinite(stacked).all(axis=0)
    mixed = np.full(stacked.shape[1], np.nan)
    for own, other in ((first, ~first), (~first, first)):
        at = other & known
        if at.sum() < FEWEST or not (own & known).any():
            weight = np.full(len(stacked), 1 / len(stacked))
        else:
            weight = best_weights(
                stacked[:, at], grouped.mean[at, -1], grouped.noise_of_mean[at, -1]
            )
        mixed[own] = weight @ stacked[:, own]
    return mixed


def _every(said: dict[str, FloatArray], grouped: Grouped) -> dict[str, dict[str, float] | None]:
    return {name: score(grouped, values, np.isfinite(values)) for name, values in said.items()}


def _noise_test(
    raw: Trainings, grouped: Grouped, said: dict[str, FloatArray]
) -> dict[str, dict[str, float]]:
    """Mean absolute errors at predicting the mean of the other trainings of an architecture.

    By the number of trainings that a table would have, one or two; architectures with at least two
    more are counted.
    """
    answer = {}
    for own in (1, 2):
        numbers, table, truth = first_and_others(raw, grouped, own)
        if len(numbers) < FEWEST:
            continue
        answer[str(own)] = {
            "architectures": len(numbers),
            "table": float(np.abs(table - truth).mean()),
            **{name: float(np.abs(v[numbers] - truth).mean()) for name, v in said.items()},
        }
    return answer
