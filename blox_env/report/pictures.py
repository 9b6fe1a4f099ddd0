"""The pictures of a report: what goes into each, and the words beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blox_env.analysis import curves as along
from blox_env.analysis.background import Background
from blox_env.analysis.curves import AXES, EVALUATIONS, SIMULATED, Curve
from blox_env.analysis.fronts import FrontPoint, Points
from blox_env.analysis.intervals import performance_profile, thresholds
from blox_env.analysis.scores import Pooled, Yardstick
from blox_env.analysis.statistics import by_agent
from blox_env.analysis.verdicts import baseline
from blox_env.experiment.results import Run
from blox_env.ground.typing import FloatArray
from blox_env.report import figures, front_figure
from blox_env.report.vector import Files, files


@dataclass(frozen=True)
class Picture:
    """A figure with its words: ``name`` of its files, ``svg`` for the page, ``caption``."""

    name: str
    files: Files
    svg: str
    caption: str

    @classmethod
    def of(cls, name: str, figure: object, *, alt: str, caption: str) -> Picture:
        """A picture without parts that can be chosen.

        Args:
            name: of the picture's files.
            figure: a matplotlib figure.
            alt: text for those who do not see it.
            caption: below the picture.
        """
        drawn = files(figure)  # type: ignore[arg-type]  # matplotlib is an extra
        return cls(name, drawn, drawn.inline(name, alt), caption)


def progress(runs: Sequence[Run], to: Yardstick, suffix: str) -> list[Picture]:
    """Regret over each axis that the runs know, and hypervolume over evaluations.

    Args:
        runs: on one problem.
        to: the references of the problem.
        suffix: of the names of the pictures.
    """
    groups = by_agent(runs)
    known = "best of the whole table" if to.best_known else "best that any run found"
    result = []
    for axis in AXES:
        found = along.curves(
            groups, axis, lambda run, where, x: along.regret_along(run, where, x, to.best)
        )
        if found is None:
            continue
        if axis is SIMULATED and _one_worker(runs):
            continue  # the same as GPU-hours
        name = f"regret{suffix}" if axis is EVALUATIONS else f"regret-{axis.key}{suffix}"
        result.append(
            Picture.of(
                name,
                figures.curves_figure(found, axis, label=f"simple regret to the\n{known} (reward)"),
                alt=f"Simple regret over {axis.short}. {_ends(found)}",
                caption=f"Simple regret over {axis.short}: {_AXIS_NOTES[axis.key]} Lines are "
                "interquartile means over runs, bands 95 % intervals. The lowest part of the axis "
                "is linear, so that 0 is in the picture.",
            )
        )
    if to.corner is not None:
        corner, volume = to.corner, to.volume
        wide = along.curves(
            groups,
            EVALUATIONS,
            lambda run, where, x: along.hypervolume_along(run, where, x, corner, volume),
        )
        assert wide is not None
        label = "hypervolume (accuracy · ms)"
        if to.volume_known:
            label = "hypervolume, share of\nthe true front's"
        result.append(
            Picture.of(
                f"hypervolume{suffix}",
                figures.curves_figure(wide, EVALUATIONS, label=label, logarithmic=False),
                alt=f"Hypervolume of accuracy and latency over evaluations. {_ends(wide)}",
                caption="Hypervolume of accuracy and latency over evaluations, up to "
                f"{100 * corner[0]:.2f} % and {corner[1]:.4g} ms. Lines are interquartile means "
                "over runs, bands 95 % intervals. Agents that look for one reward do not look for "
                "this.",
            )
        )
    return result


def compared(pooled: Pooled, suffix: str) -> list[Picture]:
    """Probabilities of improvement over the baseline, and performance profiles.

    Args:
        pooled: values of runs by agent.
        suffix: of the names of the pictures.
    """
    agents = pooled.agents()
    heading = pooled.measure.heading
    result = []
    if len(agents) > 1:
        other = baseline(pooled)
        found = {a: pooled.better(a, other) for a in agents if a != other}
        said = "; ".join(f"{a} {p.value:.2f}" for a, p in found.items())
        result.append(
            Picture.of(
                f"improvement{suffix}",
                figures.improvement_figure(found, other),
                alt=f"Probability to have a better {heading} than {other}: {said}.",
                caption=f"Probability that a run of an agent has a better {heading} than one of "
                f"{other}, with 95 % intervals. Where an interval holds 0.5, the two cannot be "
                "told apart.",
            )
        )
    if agents:
        values = {agent: pooled.values[agent] for agent in agents}
        limits, logarithmic = thresholds([v for own in values.values() for v in own])
        profiles = {agent: performance_profile(own, limits) for agent, own in values.items()}
        result.append(
            Picture.of(
                f"profile{suffix}",
                figures.profile_figure(
                    profiles, limits, label=f"{heading} ({pooled.measure.unit})",
                    logarithmic=logarithmic,
                ),
                alt=f"Share of runs with at most some {heading}. At the median threshold: "
                + "; ".join(f"{a} {p[0][len(limits) // 2]:.2f}" for a, p in profiles.items()),
                caption=f"Performance profiles: the share of an agent's runs that end with at most "
                f"the {heading} below. Higher is better. Bands are pointwise 95 % limits.",
            )
        )  # fmt: skip
    return result


def front(
    runs: Sequence[Run],
    background: Background,
    fronts: Mapping[str, Sequence[FrontPoint]],
    names: Mapping[tuple[int, ...], str],
    suffix: str,
) -> Picture:
    """Accuracy against latency, with points that show their architecture.

    Args:
        runs: on one problem.
        background: the whole space, where it is known.
        fronts: points that can be chosen, by agent.
        names: id of what a point shows, by its row.
        suffix: of the names of the pictures.
    """
    facts = runs[0].facts
    figure = front_figure.front_figure(
        {agent: Points.of(own) for agent, own in by_agent(runs).items()},
        whole=background.whole,
        target_ms=None if facts.reward == "accuracy" else facts.latency_target_ms,
        device=facts.device or "",
    )
    text = (
        "Dots are architectures that the runs evaluated, lines with markers the Pareto fronts of "
        "all runs of an agent together."
    )
    if background.whole is not None:
        whole = "all that keeps to the constraints" if facts.constraints else "the whole space"
        text += f" The grey area is {whole}, the line around it its Pareto front."
    if facts.noise == "sampled":
        text += " Dots are single noisy trainings and may lie beyond the front, which is of means."
    drawn = files(figure)
    alt = f"Validation accuracy against latency on {facts.device}"
    top = front_figure.overlay(figure, fronts, names)
    name = f"front{suffix}"
    return Picture(name, drawn, drawn.inline(name, alt, overlay=top), text)


_AXIS_NOTES = {
    "evaluations": "full trainings paid for; a part of a training counts in part.",
    "gpu-hours": "what the benchmark says that the trainings take, added up. Nothing was trained.",
    "simulated-hours": "what would have passed while all simulated workers trained at once.",
    "wall-time": "what the search itself took on the machine that ran it, with benchmark look-ups "
    "in place of trainings.",
}


def _ends(found: Mapping[str, Curve]) -> str:
    """Final values of the curves, in words."""
    texts = [f"{agent} {_last(curve.value):.2g}" for agent, curve in found.items()]
    return f"At the end: {'; '.join(texts)}."


def _last(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else np.nan


def _one_worker(runs: Sequence[Run]) -> bool:
    return all(run.facts.simulated_workers == 1 for run in runs)
