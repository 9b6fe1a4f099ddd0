"""Writes docs/agents.md: who is better than whom, from what perf/agents.py found.

    python docs/agents.py

``docs/agents.json`` keeps the regret of every search, so the page can be written without any.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.agent import make_agent
from blox_env.analysis.intervals import FEWEST, Estimate, improvement, iqm
from blox_env.analysis.pairs import Pair, all_pairs
from blox_env.ground.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]
FIGURES, PAGE = ROOT / "docs" / "agents.json", ROOT / "docs" / "agents.md"
FRONTS = ROOT / "docs" / "agent_fronts.json"
JUDGED = 200  # evaluations at which all pairs are compared
UNIT = 1000  # regrets are shown in thousandths of the reward
Cells = dict[str, Estimate]

INTRODUCTION = """# Agents under one protocol

Written by `python -m perf.agents --macro FILE` (`make agents`); do not edit. FILE is that of
NAS-Bench-Macro. What is there already is not run again; `docs/agents.json` keeps every search.

- **Tuning.** Every agent's options were tuned on one problem, `{benchmark}` on `{device}` with the
  reward `mnasnet`: the defaults and up to {trials} random draws of options, {seeds} searches of 200
  evaluations each; then the defaults and the best of the draws ({finalists}) again, {final_seeds}
  fresh searches each. [Who was tuned to what](#tuning) is below. Nothing is judged on that problem.
  Agents named `-published` have the options of their papers, `smac` those of its library, untuned,
  and ten seeds.
  What a budget of more draws would find is not known. `mcts` and `dyna-ppo` were also designed
  there, by hand, which no other agent had.
- **Judging.** {judged} searches on each problem with other seeds than those of tuning, fewer of
  agents that take their time: then the number stands behind the cell. Searches
  know validation accuracies; regret is that of the *true* reward of what a search took for the
  best, to the best of the whole table. With *single trainings* a search sees one noisy training of
  each architecture, else means. Searches of 1,000 evaluations are other runs than the shorter ones.
- **Repeats.** Asking again for what is known costs nothing, but a search ends after {queries} times
  as many queries as its budget: a policy that has settled is not waited for.
- **Independence.** Problems with `{benchmark}` share accuracies, not the device, with the problem
  of tuning; so they are shown but not put together with the others. Those others share nothing
  with it. What defaults were chosen on before that is said in each agent's file (all of it on
  `digits`, but for one choice of `gp-bo`: that equal options share their distances was decided on
  NAS-Bench-Macro).
- **Figures.** Cells are interquartile means with 95 % intervals (studentised bootstrap), in
  thousandths of the reward. **Bold** is the best of a column; ≈ marks those whose interval overlaps
  its interval. Budgets are full trainings; for agents without a schedule over the budget 50
  evaluations are the beginning of 200.

How soon the very best of NAS-Bench-Macro is found, with 100 searches an agent, is in
[macro_search.md](macro_search.md); what rankings cost that need no search, in
[proxies.md](proxies.md) and [supernet.md](supernet.md).
"""


def cells(agents: dict[str, Any], mark: str, scale: float = UNIT, kind: str = "regret") -> Cells:
    """Interquartile mean regret of every agent that was judged at a number of evaluations.

    Args:
        agents: of one problem, as kept.
        mark: number of evaluations.
        scale: of the figures.
        kind: ``"regret"``, the true one, or ``"seen"``, what searches took it for.
    """
    return {
        agent: iqm([scale * np.array(found[kind][mark])])
        for agent, found in agents.items()
        if mark in found.get(kind, {})
    }


def shown(column: Cells, agent: str, most: int) -> str:
    """A cell of a table.

    Args:
        column: all figures of it.
        agent: whose cell.
        most: number of searches that need not be said.
    """
    if agent not in column:
        return ""
    best = min(column.values(), key=lambda each: (each.value, each.high))
    own = column[agent]
    text = f"{own.value:z.2f}"
    if own.known:
        text += f" [{own.low:z.2f}, {own.high:z.2f}]"
    if own.value <= best.value:
        text = f"**{text}**"
    elif own.known and best.known and own.low <= best.high:
        text += " ≈"
    return text + (f" ({own.n})" if own.n < most else "")


def table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Lines of a Markdown table.

    Args:
        head: names of columns.
        rows: of cells.
    """
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    yield from ("| " + " | ".join(row) + " |" for row in rows)


def problem_lines(name: str, found: dict[str, Any]) -> Iterator[str]:
    """The section of one problem.

    Args:
        name: of it.
        found: what is kept of it.
    """
    columns: dict[str, Cells] = {}
    for agents in (found["agents"], found["long"]):
        marks = {mark for each in agents.values() for mark in each["regret"]}
        columns |= {mark: cells(agents, mark) for mark in sorted(marks, key=int)}
    most = max(each.n for column in columns.values() for each in column.values())
    middle = columns[str(JUDGED)]
    order = sorted(middle, key=lambda agent: (middle[agent].value, middle[agent].high))
    yield f"### {name}"
    yield ""
    yield (
        f"{found['size']:,} architectures; a random one has a regret of "
        f"{UNIT * found['random']:.1f} (median)."
    )
    yield ""
    head = ["agent", *(f"{int(mark):,} evaluations" for mark in columns)]
    rows = [[agent, *(shown(each, agent, most) for each in columns.values())] for agent in order]
    seen = {mark: cells(found["agents"], mark, kind="seen") for mark in columns}
    seen = {mark: column for mark, column in seen.items() if column}
    if seen:
        yield "A search sees single trainings here, and what looks best to it is partly luck. The"
        yield "last columns have what it would say of itself: the noisy reward of its best, to the"
        yield "true best of the table; below 0 is better than can be. What counts is left of them."
        yield ""
        head += [f"{int(mark):,}, as seen" for mark in seen]
        for row in rows:
            row += [plain(column.get(row[0])) for column in seen.values()]
    yield from table(head, rows)
    yield ""


def plain(found: Estimate | None) -> str:
    """A figure with its interval, without comparison; nothing where it is missing."""
    if found is None:
        return ""
    interval = f" [{found.low:z.2f}, {found.high:z.2f}]" if found.known else ""
    return f"{found.value:z.2f}{interval}"


def independent(kept: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Problems that share nothing with the one of tuning."""
    word = kept["tuned_on"]["benchmark"]
    return {name: each for name, each in kept["problems"].items() if not name.startswith(word)}


def normalised(kept: dict[str, Any], mark: str) -> dict[str, list[np.ndarray]]:
    """Regrets by agent, a problem each, in units of what a random architecture has.

    Of agents that were judged on all of them; equally many searches on each.

    Args:
        kept: everything.
        mark: number of evaluations.
    """
    problems = independent(kept).values()
    found = {}
    for agent in kept["tuning"]:
        if all(agent in each["agents"] for each in problems):
            runs = [(each["agents"][agent]["regret"][mark], each["random"]) for each in problems]
            least = min(len(values) for values, _ in runs)  # each problem counts as much
            found[agent] = [np.array(values[:least]) / random for values, random in runs]
    return found


def together_lines(kept: dict[str, Any], pairs: list[Pair]) -> Iterator[str]:
    """The section of all independent problems together.

    Args:
        kept: everything.
        pairs: all pairs of agents.
    """
    early, late = (normalised(kept, mark) for mark in ("50", str(JUDGED)))
    columns = [
        {a: iqm([100 * v for v in runs]) for a, runs in each.items()} for each in (early, late)
    ]
    order = sorted(late, key=lambda agent: columns[1][agent].value)
    yield f"## Together: {', '.join(independent(kept))}"
    yield ""
    yield "Regret in percent of what a random architecture has (its median), and the probability in"
    yield f"percent that a search is better at {JUDGED} than one of random search or of regularized"
    yield "evolution. NAS-Bench-Macro has no learning curves for agents that train in part."
    yield ""
    rows = []
    for agent in order:
        chances = [
            "" if agent == other else chance(improvement(late[agent], late[other]))
            for other in ("random-search", "regularized-evolution")
        ]
        count = str(len(late[agent][0]))
        rows.append([agent, count, *(shown(column, agent, 0) for column in columns), *chances])
    head = ["agent", "searches a problem", "50 evaluations", f"{JUDGED} evaluations"]
    yield from table([*head, "P(better than random)", "P(better than evolution)"], rows)
    yield ""
    yield from pair_lines(order, pairs)


def chance(found: Estimate) -> str:
    """A probability with its interval, in percent."""
    text = f"{100 * found.value:.0f}"
    return f"{text} [{100 * found.low:.0f}, {100 * found.high:.0f}]" if found.known else text


def pair_lines(order: list[str], pairs: list[Pair]) -> Iterator[str]:
    """What the pairs say: everybody against everybody, then statement by statement.

    Args:
        order: agents, the best first.
        pairs: all of them once.
    """
    by_names = {}
    for pair in pairs:
        by_names[pair.agent, pair.other] = (pair.better.value, pair)
        by_names[pair.other, pair.agent] = (1 - pair.better.value, pair)
    clear = sum(pair.winner is not None for pair in pairs)
    yield f"### All pairs at {JUDGED}"
    yield ""
    yield "Probability in percent that a search of the row is better than one of the column (equal"
    yield "ones count half); **bold** where it differs from 50 at 5 %, by Holm's correction for"
    yield f"{len(pairs)} pairs: {clear} of them do."
    yield ""
    rows = []
    for k, agent in enumerate(order, 1):
        row = [f"{k} {agent}"]
        for other in order:
            if agent == other:
                row.append("")
                continue
            value, pair = by_names[agent, other]
            text = f"{100 * value:.0f}"
            row.append(f"**{text}**" if pair.winner else text)
        rows.append(row)
    yield from table(["", *(str(k) for k in range(1, len(order) + 1))], rows)
    yield ""
    yield "Statement by statement:"
    yield ""
    for agent in order:
        beaten = [o for o in order if o != agent and by_names[agent, o][1].winner == agent]
        open_ = [o for o in order if o != agent and by_names[agent, o][1].winner is None]
        said = f"better than {', '.join(beaten)}" if beaten else "better than none of them"
        rest = f"; no difference shown to {', '.join(open_)}" if open_ else ""
        yield f"- {agent}: {said}{rest}."
    yield ""


def missing_lines(kept: dict[str, Any], judged: dict[str, Any]) -> Iterator[str]:
    """Who is not among those that are put together, and why.

    Args:
        kept: everything.
        judged: those that are, by agent.
    """
    others = [agent for agent in kept["agents"] if agent not in judged]
    untuned = [agent for agent in others if agent not in kept["tuning"]]
    part = [a for a in others if a not in untuned and "curves" in make_agent(a).requires]
    later = [agent for agent in others if agent not in (*untuned, *part)]
    if part:
        yield f"Train in part, so not here: {', '.join(part)}. Problem by problem they are."
    if later or untuned:
        yield (
            f"Tuned, but not yet judged on all of these: {', '.join(later) or 'none'}. Not yet "
            f"tuned: {', '.join(untuned) or 'none'}. The command goes on where it was; until then "
            "nothing is said about them."
        )
    yield ""


def front_lines(fronts: dict[str, Any]) -> Iterator[str]:
    """The section on fronts of two objectives; nothing where nothing was compared.

    Args:
        fronts: what ``perf/agent_fronts.py`` found, by problem.
    """
    if not fronts:
        return
    yield "## Fronts of accuracy and latency"
    yield ""
    yield "Hypervolume of all that a search of two objectives trained in full, in percent of the"
    yield "true front's (`python -m perf.agent_fronts`); more is better. Agents have their"
    yield "defaults. `regularized-evolution` searches for the reward `mnasnet` instead; `mo-asha`"
    yield "spends part of its budget on short trainings, which do not count here. The corner is so"
    yield "near to the front that no architecture alone has more than 80 % of the whole."
    yield ""
    for name, found in fronts.items():
        acc, latency = found["corner"]
        yield f"### {name}"
        yield ""
        yield f"{found['points']} architectures are in the true front. Hypervolumes reach down to"
        yield f"an accuracy of {100 * acc:.2f} % and up to {latency:.3g} ms, where one architecture"
        yield f"has up to {100 * found['alone']:.0f} % of the whole."
        yield ""
        columns: dict[str, Cells] = {}
        for mark in sorted(
            {m for each in found["agents"].values() for m in each["volume"]}, key=int
        ):
            columns[mark] = {
                agent: iqm([100 * np.array(each["volume"][mark])])
                for agent, each in found["agents"].items()
            }
        last = list(columns.values())[-1]
        order = sorted(last, key=lambda agent: -last[agent].value)
        rows = [
            [agent, str(last[agent].n), *(shown_most(c, agent) for c in columns.values())]
            for agent in order
        ]
        yield from table(["agent", "searches", *(f"{m} evaluations" for m in columns)], rows)
        yield ""


def shown_most(column: Cells, agent: str) -> str:
    """A cell of a table in which more is better.

    Args:
        column: all figures of it.
        agent: whose cell.
    """
    turned = {a: Estimate(-e.value, -e.high, -e.low, e.n) for a, e in column.items()}
    best = min(turned.values(), key=lambda each: (each.value, each.high))
    own, text = turned[agent], plain(column[agent])
    if own.value <= best.value:
        return f"**{text}**"
    return f"{text} ≈" if own.known and best.known and own.low <= best.high else text


def tuning_lines(kept: dict[str, Any]) -> Iterator[str]:
    """The section on who was tuned to what."""
    told = kept["tuned_on"]
    yield "## Tuning"
    yield ""
    yield f"Mean regret at 50, 100 and 200 on `{told['benchmark']}` on `{told['device']}`, in"
    yield "thousandths, on the fresh seeds. Options that are not named are the defaults. An agent"
    yield "with a single draw has no options to be tried."
    yield ""
    rows = []
    for agent, found in sorted(kept["tuning"].items()):
        if found.get("published"):
            rows.append([agent, "as published, not tuned", "", "", "0", "0"])
            continue
        options = ", ".join(f"{name} {value}" for name, value in found["options"].items())
        scores = [f"{UNIT * found[key]:.2f}" for key in ("defaults", "score")]
        counts = [str(found["draws"]), str(found["searches"])]
        rows.append([agent, options or "defaults", *scores, *counts])
    yield from table(["agent", "options", "defaults", "tuned", "draws", "searches"], rows)


def page(kept: dict[str, Any]) -> str:
    """The whole page of what is kept."""
    problems = kept["problems"].values()
    judged = max(
        len(v) for p in problems for a in p["agents"].values() for v in a["regret"].values()
    )
    lines = [INTRODUCTION.format(judged=judged, **kept["tuned_on"])]
    runs = normalised(kept, str(JUDGED)) if independent(kept) else {}
    if len(runs) > 1 and min(len(v) for each in runs.values() for v in each) >= FEWEST:
        lines += together_lines(kept, all_pairs(runs))
    lines += [*missing_lines(kept, runs), "## Problem by problem", ""]
    for name, found in kept["problems"].items():
        lines += problem_lines(name, found)
    fronts = json.loads(FRONTS.read_text()) if FRONTS.exists() else {}
    lines += [*front_lines(fronts), *tuning_lines(kept)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    write_atomic(PAGE, page(json.loads(FIGURES.read_text())))


if __name__ == "__main__":
    main()
