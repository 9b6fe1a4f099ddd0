"""Agents by name: one objective, two objectives, learning curves, and the whole front for scale."""

from __future__ import annotations

import blox_env
from blox_env.problem.pareto import front


def main() -> None:
    """A few searches of 100 evaluations."""
    for agent in ("random-search", "local-search", "gp-bo", "bohb"):
        problem = blox_env.Problem(benchmark="digits", device="x86-ort-1t", budget=100)
        history = blox_env.search(problem, agent, seed=0)
        regret = problem.optimum()[1] - history.reward[history.best.row]
        print(f"{agent:14} regret {regret:.4f} after {problem.spent:.1f} full trainings")

    two = ("val_acc", "latency_ms")
    problem = blox_env.Problem("digits", "x86-ort-1t", budget=100, objectives=two)
    history = blox_env.search(problem, "gp-bo", seed=0)
    lack = problem.front_regret(x=history.x)
    found = front(problem.values(problem.peek(history.x)), maximise=True).sum()
    exact = len(problem.pareto_front()[0])
    print(
        f"gp-bo found {found} points that lack {lack.relative:.1%} of the table's front ({exact})"
    )


if __name__ == "__main__":
    main()
