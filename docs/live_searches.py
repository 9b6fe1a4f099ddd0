"""Writes into docs/surrogates.md whether agents rank alike on the surrogate and on trainings.

    python docs/live_searches.py --run runs/live --cache runs/live/cache     (hours)
    python docs/live_searches.py

The first lets agents search on ``live:digits``, where every evaluation is a training, one file a
search; trains the answer of each ten times more; lets the same agents search on ``digits``; and
sums all up in docs/live_searches.json. A killed run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.benchmarks.live import LiveBenchmark
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "live_searches.json"
BLOCK = re.compile(r"(<!-- live -->\n).*?(<!-- /live -->)", re.DOTALL)
AGENTS = ("random-search", "regularized-evolution", "local-search", "bananas")
TASK = "digits"
BUDGET = 200
AT = (50, 100, 200)
FIRST_SEED, FRESH = (
    100,
    tuple(range(200, 210)),
)  # of trainings: of the searches, and of their answers
SEEDS = 30  # searches on the surrogate
RESAMPLES = 2000


def run(out: Path, cache: Path, repeats: int) -> None:
    """Run the searches that have no file yet.

    Args:
        out: folder of their files.
        cache: folder of the trainings.
        repeats: searches of each agent.
    """
    jobs = [(agent, number) for number in range(repeats) for agent in AGENTS]
    with tracked() as track:
        for i in track("searching by training", range(len(jobs))):
            agent, number = jobs[i]
            target = out / f"{agent}-{number}.json"
            if not target.exists():
                write_atomic(target, json.dumps(_live(agent, number, cache)))


def _live(agent: str, number: int, cache: Path) -> dict[str, Any]:
    """One search by training, and three more trainings of its answer."""
    benchmark = LiveBenchmark(TASK, seeds=(FIRST_SEED + number,), workers=0, cache=cache)
    history = blox_env.search(blox_env.Problem(benchmark, None, budget=BUDGET), agent, seed=number)
    answer = history.x[int(np.argmax(history.val_acc))]
    again = [
        float(LiveBenchmark(TASK, seeds=(s,), workers=0, cache=cache).evaluate(answer).val_acc[0])
        for s in FRESH
    ]
    return {"val_acc": history.val_acc.tolist(), "answer": answer.tolist(), "again": again}


def summed_up(out: Path) -> dict[str, Any]:
    """Curves of the best accuracy seen, and what the answers are worth, on both."""
    live: dict[str, Any] = {}
    for agent in AGENTS:
        runs = [json.loads(path.read_text()) for path in sorted(out.glob(f"{agent}-[0-9].json"))]
        if runs:
            live[agent] = {
                "seen": [_seen(np.array(one["val_acc"])) for one in runs],
                "answers": [one["again"] for one in runs],
            }
    table: dict[str, Any] = {agent: {"seen": [], "answers": []} for agent in live}
    for agent, found in table.items():
        for seed in range(SEEDS):
            problem = blox_env.Problem(TASK, None, budget=BUDGET, noise="sampled", seed=seed)
            history = blox_env.search(problem, agent, seed=seed)
            found["seen"].append(_seen(history.val_acc[history.column("cost") > 0]))
            answer = history.x[int(np.argmax(history.val_acc))]
            found["answers"].append(round(float(problem.peek(answer).val_acc[0]), 5))
    return {"live": live, "table": table}


def _seen(values: np.ndarray) -> list[float]:
    return [round(float(values[:count].max()), 5) for count in AT]


def text() -> str:
    """Table and statement."""
    found = json.loads(FIGURES.read_text())
    agents = list(found["live"])
    lines = [
        _row(["agent", *(f"best seen after {count}: live / surrogate" for count in AT),
              "answer, trained anew: live", "answer, true mean: surrogate"]),
        _row(["---"] * (3 + len(AT))),
    ]  # fmt: skip
    for agent in agents:
        live, table = (np.mean(found[kind][agent]["seen"], axis=0) for kind in ("live", "table"))
        cells = [f"{a:.3f} / {b:.3f}" for a, b in zip(live, table, strict=True)]
        answers = np.array(found["live"][agent]["answers"])
        said = np.array(found["table"][agent]["answers"])
        error = 1.96 * said.std(ddof=1) / np.sqrt(len(said))
        each = answers.std(axis=1, ddof=1).mean() / np.sqrt(answers.size)
        lines.append(
            _row([f"`{agent}`", *cells, f"{answers.mean():.4f} ± {1.96 * each:.4f}",
                  f"{said.mean():.4f} ± {error:.4f}"])
        )  # fmt: skip
    counts = {agent: len(found["live"][agent]["seen"]) for agent in agents}
    listed = ", ".join(f"{agent} {number}" for agent, number in counts.items())
    low, middle, high = spearman(found, agents)
    lines += [
        "",
        (
            f"Spearman between both orders of the {len(agents)} agents, by what their answers are "
            f"worth: {middle:.2f}, 95 % interval {low:.2f} … {high:.2f} (searches and trainings "
            f"drawn anew). Searches by training: {listed}; "
            f"on the surrogate {SEEDS} each."
        ),
    ]
    return "\n".join(lines) + "\n"


def spearman(found: dict[str, Any], agents: list[str]) -> tuple[float, float, float]:
    """Rank correlation of the agents' answers on both, with its 95 % interval, by bootstrap.

    Args:
        found: what :func:`summed_up` gives.
        agents: names.
    """
    from scipy.stats import spearmanr

    rng = np.random.default_rng(0)
    draws = []
    for _ in range(RESAMPLES):
        live, table = [], []
        for agent in agents:
            answers = np.array(found["live"][agent]["answers"])
            picked = answers[rng.integers(len(answers), size=len(answers))]
            live.append(rng.choice(picked, size=picked.shape[1], axis=1).mean())
            said = np.array(found["table"][agent]["answers"])
            table.append(rng.choice(said, size=len(said)).mean())
        draws.append(spearmanr(live, table).statistic)
    live = [np.mean(found["live"][agent]["answers"]) for agent in agents]
    table = [np.mean(found["table"][agent]["answers"]) for agent in agents]
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return float(low), float(spearmanr(live, table).statistic), float(high)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run the searches if asked, and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, metavar="OUT", help="folder of the searches' files")
    parser.add_argument("--cache", type=Path, help="folder of the trainings")
    parser.add_argument("--repeats", type=int, default=1, help="searches of each agent")
    given = parser.parse_args()
    if given.run:
        run(given.run, given.cache or given.run / "cache", given.repeats)
        write_atomic(FIGURES, json.dumps(summed_up(given.run), separators=(",", ":")) + "\n")
    page = ROOT / "docs" / "surrogates.md"
    filled = BLOCK.sub(lambda match: match[1] + text() + match[2], page.read_text())
    write_atomic(page, filled)


if __name__ == "__main__":
    main()
