"""Writes docs/blockwise.md: what blockwise distillation is worth on the benchmarks of the package.

    python docs/blockwise.py

The page and its pictures follow from ``docs/blockwise.json``, which ``blockwise_fit.py`` makes.
Everything that is said has a number and a 95 % interval.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Picture

import blox_env
from blox_env.analysis.blockwise import (
    MixedAgainstUniform,
    block_effects,
    by_key,
    mean,
    mixed_against_uniform,
    share,
    spearman,
    truth_of,
)
from blox_env.benchmarks import trainings
from blox_env.benchmarks.trainings import Trainings
from blox_env.ground.files import write_atomic
from blox_env.networks.signatures import MEASURES, Signatures
from blox_env.report.vector import to_png

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
SEEDS = 20
TIMES = (50, 100, 200)  # simulated time, in mean trainings

Records = dict[str, Any]


def trainings_of(name: str) -> Trainings:
    """The trainings that a benchmark was made from."""
    folder = Path(blox_env.__file__).parent / "data" / "benchmarks" / name
    return trainings.read(folder / "trainings.csv")


def signatures_of(entry: Records) -> Signatures:
    """Signatures of one teacher's entry."""
    return Signatures(*(np.array(entry[name]) for name in (*MEASURES, "seconds")))


def row(*cells: object) -> str:
    """A line of a table."""
    return "| " + " | ".join(map(str, cells)) + " |"


def table(heads: tuple[str, ...], lines: Sequence[tuple[object, ...]]) -> list[str]:
    """A table.

    Args:
        heads: of the columns.
        lines: the cells.
    """
    return [row(*heads), row(*["---"] * len(heads)), *(row(*line) for line in lines), ""]


def tuned_of(records: Records, teacher: str, kind: str, epochs: int) -> dict[Any, Records]:
    """Networks of one teacher, kind and length.

    Args:
        records: of a benchmark.
        teacher: its name.
        kind: of the training.
        epochs: of the training.
    """
    return by_key(records["networks"], teacher=teacher, kind=kind, epochs=epochs)


def truth(name: str, rows: list[Any]) -> np.ndarray:
    """Mean accuracy from scratch of architectures, from the collected trainings.

    Args:
        name: of the benchmark.
        rows: the architectures.
    """
    known = trainings_of(name)
    return truth_of(blox_env.BloxSpace(), known.x, known.val_acc[:, -1], rows)


def lengths(records: Records) -> list[tuple[str, int]]:
    """Teachers and numbers of epochs that networks were fine-tuned for."""
    return sorted(
        {(n["teacher"], n["epochs"]) for n in records["networks"] if n["kind"] == "fine-tuned"}
    )


def against_scratch(name: str, records: Records) -> list[str]:
    """Question 1: accuracy by distillation less accuracy from scratch, paired by architecture.

    Args:
        name: of the benchmark.
        records: its records.
    """
    lines = []
    kinds = sorted({(n["teacher"], n["kind"], n["epochs"]) for n in records["networks"]})
    for teacher, kind, epochs in kinds:
        found = tuned_of(records, teacher, kind, epochs)
        base = truth(name, list(found))
        last = np.array([each["val_acc"][-1] for each in found.values()])
        cells = (mean(last - base).text(2, 100, sign=True), share(last > base).text(0, 100))
        lines.append((f"`{teacher}`", kind, epochs, *cells))
    heads = ("teacher", "training", "epochs", "gain over scratch, points", "better, %")
    return table(heads, lines)


def following(name: str, records: Records) -> list[str]:
    """Questions 2 and 5: ranks of fine-tuned networks against those from scratch, and falls.

    Args:
        name: of the benchmark.
        records: its records.
    """
    lines = []
    for teacher, epochs in lengths(records):
        found = tuned_of(records, teacher, "fine-tuned", epochs)
        base = truth(name, list(found))
        curve = np.array([each["val_acc"] for each in found.values()])
        gain = curve[:, -1] - curve[:, 0]
        worst = int(np.argmin(gain))
        fell = f"{100 * curve[worst, 0]:.2f} → {100 * curve[worst, -1]:.2f}"
        lines.append(
            (
                f"`{teacher}`",
                epochs,
                spearman(curve[:, 0], base).text(2),
                spearman(curve[:, -1], base).text(2),
                share(gain < 0).text(0, 100),
                fell,
            )
        )
    heads = ("teacher", "epochs", "Spearman, as put together", "Spearman, fine-tuned",
             "fell, %", "least gain")  # fmt: skip
    return table(heads, lines)


def good_blocks(name: str, records: Records) -> list[str]:
    """Question 3: signatures of a stage's blocks against the mean accuracy of all with the block.

    Args:
        name: of the benchmark.
        records: its records.
    """
    effects = block_effects(blox_env.load_benchmark(name))
    lines = []
    for entry in records["teachers"]:
        one = signatures_of(entry)
        for measure in MEASURES:
            said = getattr(one, measure) * (1 if measure == "swap_acc" else -1)
            cells = [spearman(said[s], effects[s]).text(2) for s in range(3)]
            hits = [len(set(np.argsort(-said[s])[:5]) & set(np.argsort(-effects[s])[:5]))
                    for s in range(3)]  # fmt: skip
            lines.append(
                (
                    f"`{entry['name']}` ({entry['val_acc']:.3f})",
                    measure,
                    *cells,
                    " ".join(map(str, hits)),
                )
            )
    heads = ("teacher (accuracy)", "measure", "stage 1: Spearman", "stage 2", "stage 3",
             "of the best 5, among its first 5")  # fmt: skip
    return table(heads, lines)


def predicting(records: Records) -> list[str]:
    """Question 4: predictors by number of trained networks.

    Args:
        records: of a benchmark.
    """
    lines: list[tuple[object, ...]] = []
    sizes: list[str] = []
    for key, unordered in records["curves"].items():
        curve = {size: unordered[size] for size in sorted(unordered, key=int)}
        sizes = list(curve)
        cells = [
            f"{100 * e[0]:.2f} ({100 * e[1]:.2f} … {100 * e[2]:.2f}); "
            f"{r[0]:.2f} ({r[1]:.2f} … {r[2]:.2f})"
            for e, r in curve.values()
        ]
        lines.append((key, *cells))
    return table(("error in points; Spearman", *(f"{size} networks" for size in sizes)), lines)


def rounds(name: str, records: Records) -> list[str]:
    """Question 6: the search from a random teacher.

    Args:
        name: of the benchmark.
        records: its records.
    """
    benchmark = blox_env.load_benchmark(name)
    every = benchmark.evaluate(benchmark.space.all()).val_acc
    lines: list[tuple[object, ...]] = []
    for number, each in enumerate(records["rounds"]):
        said = benchmark.evaluate(np.array([each["found"]]))
        value, noise = float(said.val_acc[0]), float(said.val_std[0])
        above = 100 * float((every > value).mean())
        cells = (f"{100 * value:.2f} ± {200 * noise:.2f}", f"{above:.2f} %")
        lines.append(
            (number, f"{each['teacher_acc']:.3f}", str(each["found"]), *cells,
             f"{each['seconds'] * records['facts']['speed']:.0f}")
        )  # fmt: skip
    heads = ("round", "teacher's accuracy", "found", "its accuracy in the table, ± 2 deviations",
             "architectures above it", "seconds")  # fmt: skip
    return table(heads, lines)


def macro(name: str) -> list[str]:
    """Best mixed against best uniform networks.

    Args:
        name: of the benchmark.
    """
    found: list[MixedAgainstUniform] = mixed_against_uniform(
        blox_env.load_benchmark(name), blox_env.list_devices("blox")
    )
    lines = [
        (
            f"`{each.device}`" if each.device else "no latency",
            f"{each.latency_ms:.3g}" if each.device else "–",
            each.gain.text(2, 100, sign=True).partition(", n")[0] + ")",
            f"{each.uniform[0]}",
            "-".join(map(str, each.mixed)),
            each.beaten.text(0, 100),
            f"{each.known} of 2",
        )
        for each in found
    ]
    heads = ("device", "ms", "mixed − uniform, points (± 2 deviations of both)", "uniform", "mixed",
             "uniform ones beaten, %", "trained")  # fmt: skip
    return table(heads, lines)


def compared(found: Records) -> list[str]:
    """Regret at equal simulated time.

    Args:
        found: of one benchmark, by problem and agent.
    """
    text = []
    for title, agents in found.items():
        lines = []
        for agent, regrets in agents.items():
            cells = []
            for column in range(len(TIMES)):
                values = [r[column] for r in regrets]
                whole = None not in values
                cells.append(mean(np.array(values, float)).text(4) if whole else "nothing yet")
            lines.append((f"`{agent}`", *cells))
        heads = (title, *(f"time of {t} trainings" for t in TIMES))
        text += table(heads, lines)
    return text


def draw(name: str, records: Records) -> str:
    """A picture of fine-tuned against scratch, and of predictors; its file.

    Args:
        name: of the benchmark.
        records: its records.
    """
    picture = Picture(figsize=(9, 3.8), layout="constrained")
    left, right = picture.subplots(1, 2)
    for teacher, epochs in lengths(records):
        found = tuned_of(records, teacher, "fine-tuned", epochs)
        if len(found) < 40 or epochs == 1:
            continue
        base = truth(name, list(found))
        last = [each["val_acc"][-1] for each in found.values()]
        left.plot(base, last, ".", label=f"{teacher}, {epochs} epochs")
    left.axline((0.7 if name == "digits" else 0.55,) * 2, slope=1, color="grey", lw=0.8)
    left.set(xlabel="accuracy from scratch", ylabel="fine-tuned from blocks")
    left.legend(frameon=False)
    for key, curve in records["curves"].items():
        if key.startswith("round"):
            continue
        sizes = sorted(curve, key=int)
        ranks = [curve[size][1][0] for size in sizes]
        right.plot([int(size) for size in sizes], ranks, "o-", ms=3, label=key)
    right.set(xlabel="trained networks", ylabel="Spearman, others", xscale="log")
    right.legend(frameon=False, fontsize=7)
    file = f"blockwise-{name}.png"
    write_atomic(DOCS / file, to_png(picture))
    return file


def figures() -> str:
    """All of the page below its words."""
    found: Records = json.loads((DOCS / "blockwise.json").read_text())
    text: list[str] = []
    for name in ("digits", "cifar10"):
        if name not in found:
            continue
        records = found[name]
        text += [f"## `{name}`", "", f"![figures]({draw(name, records)})", ""]
        text += ["### Does distillation beat normal training?", ""]
        text += against_scratch(name, records)
        text += ["### Does fine-tuned accuracy follow accuracy from scratch, and does it help?", ""]
        text += following(name, records)
        text += ["### Do signatures name the good blocks of a stage?", ""]
        text += good_blocks(name, records)
        text += ["### Do they predict whole networks?", "", *predicting(records)]
        if records["rounds"]:
            text += ["### Does the iteration reach good models from a random teacher?", ""]
            text += rounds(name, records)
    text += ["## Macro against cell", ""]
    for name in ("digits", "cifar10"):
        text += [f"`{name}`:", "", *macro(name)]
    text += ["## At equal simulated cost", ""]
    for name, each in found.get("comparison", {}).items():
        text += [f"`{name}`, mean regret of {SEEDS} seeds:", "", *compared(each)]
    if "interrupted" in found:
        text += ["## Interrupted", "", found["interrupted"], ""]
    return "\n".join(text)


def main() -> None:
    """Write the page."""
    page = DOCS / "blockwise.md"
    filled = BLOCK.sub(lambda match: match[1] + figures() + match[2], page.read_text())
    write_atomic(page, filled)


if __name__ == "__main__":
    main()
