"""Writes docs/blockwise.md: what blockwise distillation is worth on the benchmarks of the package.

    python -m docs.blockwise

The page and its pictures follow from ``docs/blockwise.json``, which ``blockwise_fit.py`` makes.
Everything that is said has a number and a 95 % interval.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure as Picture

import blox_env
from blox_env.analysis.blockwise import (
    Figure,
    MixedAgainstUniform,
    block_effects,
    by_key,
    mean,
    mixed_against_uniform,
    share,
    spearman,
)
from blox_env.ground.files import write_atomic
from blox_env.networks.signatures import MEASURES
from blox_env.report.vector import to_png
from docs.blockwise_records import (
    DOCS,
    SEEDS,
    TIMES,
    Records,
    lengths,
    signatures_of,
    truth,
    tuned_of,
)

BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)


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


def epoch_by_epoch(name: str, records: Records) -> list[str]:
    """Question 5: what each epoch of fine-tuning brings.

    Args:
        name: of the benchmark.
        records: its records.
    """
    lines = []
    for teacher, epochs in lengths(records):
        found = tuned_of(records, teacher, "fine-tuned", epochs)
        base = truth(name, list(found))
        curve = np.array([each["val_acc"] for each in found.values()])
        for epoch in range(epochs + 1):
            below = share(curve[:, epoch] < curve[:, 0]).text(0, 100) if epoch else "–"
            cells = (mean(curve[:, epoch]).text(1, 100), spearman(curve[:, epoch], base).text(2))
            lines.append((f"`{teacher}`", f"{epoch} of {epochs}", *cells, below))
    heads = ("teacher", "epoch", "accuracy, %", "Spearman with scratch", "below the start, %")
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


def macro(found: Sequence[MixedAgainstUniform]) -> list[str]:
    """Best mixed against best uniform networks."""
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
        for agent, regrets in sorted(agents.items(), key=lambda item: np.mean(item[1], 0)[-1]):
            cells = []
            for column in range(len(TIMES)):
                values = [r[column] for r in regrets]
                whole = None not in values
                cells.append(mean(np.array(values, float)).text(4) if whole else "nothing yet")
            lines.append((f"`{agent}`", *cells))
        heads = (title, *(f"time of {t} trainings" for t in TIMES))
        text += table(heads, lines)
    return text


def answers(name: str, records: Records) -> list[str]:
    """The questions, each answered in a sentence with figures.

    Args:
        name: of the benchmark.
        records: its records.
    """
    text = []
    for teacher, epochs in lengths(records):
        found = tuned_of(records, teacher, "fine-tuned", epochs)
        base = truth(name, list(found))
        curve = np.array([each["val_acc"] for each in found.values()])
        gain = mean(curve[:, -1] - base).text(2, 100, sign=True)
        helped = share(curve[:, -1] > curve[:, 0]).text(0, 100)
        text.append(
            f"- Blocks of `{teacher}`, fine-tuned for {epochs} epochs: {gain} points over training "
            f"from scratch; fine-tuning raised {helped} % of them; Spearman with scratch "
            f"{spearman(curve[:, 0], base).text(2)} before and "
            f"{spearman(curve[:, -1], base).text(2)} after it."
        )
    for teacher in sorted({n["teacher"] for n in records["networks"] if n["kind"] == "distilled"}):
        found = by_key(records["networks"], teacher=teacher, kind="distilled")
        last = np.array([each["val_acc"][-1] for each in found.values()])
        gain = mean(last - truth(name, list(found))).text(2, 100, sign=True)
        text.append(f"- Taught as a whole by `{teacher}`: {gain} points over scratch.")
    effects = block_effects(blox_env.load_benchmark(name))
    for entry in records["teachers"]:
        said = [spearman(-np.array(entry["nsr"][s]), effects[s]).text(2) for s in range(3)]
        text.append(
            f"- Signatures of `{entry['name']}` (accuracy {entry['val_acc']:.3f}) against what a "
            f"block is worth at its stage, Spearman: {'; '.join(said)}."
        )
    for key, curve in sorted(records["curves"].items()):
        most = max(curve, key=int)
        error, rank = curve[most]
        text.append(
            f"- Whole networks by {key}, learned from {most}: Spearman {rank[0]:.2f} "
            f"({rank[1]:.2f} … {rank[2]:.2f}), error {100 * error[0]:.2f} "
            f"({100 * error[1]:.2f} … {100 * error[2]:.2f}) points."
        )
    return [*text, ""]


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
        if len(found) < 20 or epochs == 1:
            continue
        base = truth(name, list(found))
        last = [each["val_acc"][-1] for each in found.values()]
        left.plot(base, last, ".", label=f"{teacher}, {epochs} epochs")
    if left.lines:
        left.legend(frameon=False)
    left.axline((0.7 if name == "digits" else 0.55,) * 2, slope=1, color="grey", lw=0.8)
    left.set(xlabel="accuracy from scratch", ylabel="fine-tuned from blocks")
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


def interrupted(found: Records) -> str:
    """What became of blocks whose making was killed again and again, as a sentence."""
    there = ", ".join(map(str, found["there"]))
    end = "every file had the bytes" if found["equal"] else "some files differed from those"
    return (
        f"Killed {len(found['there'])} times at random moments, half of them on Ray, the driver "
        f"had {there} of {found['blocks']} blocks; let run to its end, {end} of an undisturbed run "
        "(`tests/networks/blockwise/test_driver_faults.py`, a short lesson of a random teacher)."
    )


def figures() -> str:
    """All of the page below its words."""
    found: Records = json.loads((DOCS / "blockwise.json").read_text())
    text: list[str] = []
    for name in ("digits", "cifar10"):
        if name not in found:
            continue
        records = found[name]
        text += [f"## `{name}`", "", f"![figures]({draw(name, records)})", ""]
        text += ["### Answers in short", "", *answers(name, records)]
        text += ["### Does distillation beat normal training?", ""]
        text += against_scratch(name, records)
        text += ["### Does fine-tuned accuracy follow accuracy from scratch, and does it help?", ""]
        text += following(name, records)
        text += ["### How many epochs of fine-tuning are enough?", ""]
        text += epoch_by_epoch(name, records)
        text += ["### Do signatures name the good blocks of a stage?", ""]
        text += good_blocks(name, records)
        text += ["### Do they predict whole networks?", "", *predicting(records)]
        if records["rounds"]:
            text += ["### Does the iteration reach good models from a random teacher?", ""]
            text += rounds(name, records)
    text += ["## Macro against cell", ""]
    for name in ("digits", "cifar10"):
        benchmark, devices = blox_env.load_benchmark(name), blox_env.list_devices("blox")
        text += [f"`{name}`:", "", *macro(mixed_against_uniform(benchmark, devices))]
    if "macro" in found:
        figures_of = {key: Figure(**found["macro"][key]) for key in ("gain", "beaten")}
        one = MixedAgainstUniform(**{**found["macro"], **figures_of})
        text += ["NAS-Bench-Macro, where a layer has three options:", "", *macro([one])]
    text += ["## At equal simulated cost", ""]
    for name, each in found.get("comparison", {}).items():
        text += [f"`{name}`, mean regret of {SEEDS} seeds:", "", *compared(each)]
    if "interrupted" in found:
        text += ["## Interrupted", "", interrupted(found["interrupted"]), ""]
    return "\n".join(text)


def main() -> None:
    """Write the page."""
    page = DOCS / "blockwise.md"
    filled = BLOCK.sub(lambda match: match[1] + figures() + match[2], page.read_text())
    write_atomic(page, filled)


if __name__ == "__main__":
    main()
