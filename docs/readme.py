"""Writes the figures of README.md from the data's cards, and the pictures from a run of the demo.

    make demo && python docs/readme.py

A test compares the figures in README.md with what this gives, so none of them is typed in.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import blox_env
from blox_env import BloxEnv
from blox_env.benchmarks.table import TableBenchmark
from blox_env.devices.embedded import DATA, MeasuredDevice

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)


def figures() -> str:
    """The block of README.md that holds figures."""
    return "".join(benchmark(name) for name in ("cifar10", "digits")) + devices()


def benchmark(name: str) -> str:
    """A line for an embedded benchmark: what optimisers find first, then uniform architectures."""
    loaded = blox_env.load_benchmark(name)
    if not isinstance(loaded, TableBenchmark):
        raise TypeError("an embedded benchmark is expected")
    trained, held = loaded.card["trainings"], loaded.card["held_out"]
    counts = (
        f"{trained['trainings']:,} real trainings of {trained['architectures']:,} architectures"
    )
    lines = [f"- **Benchmark `{name}`**: {counts}; models predict the others.\n"]
    for label, scores in (
        ("On what optimisers found on it, trained afresh", loaded.card["fresh"]),
        ("Held out, found by optimisers", (held["found"] or {}).get("val_acc")),
        ("Held out, uniform", held["uniform"]["val_acc"]),
    ):
        if scores:
            lines.append(
                f"  {label} ({scores['architectures']} architectures): bias {scores['bias']:+.4f} "
                f"± {scores['bias_error']:.4f}, R² {scores['r2']:.3f} (ceiling "
                f"{scores['r2_ceiling']:.3f}), Kendall's τ {scores['kendall_tau']:.3f}.\n"
            )
    lines.append(f"  [Card](blox_env/data/benchmarks/{name}/CARD.md).\n")
    return "".join(lines)


def devices() -> str:
    """A line for each embedded device."""
    lines = []
    for name in sorted(path.name for path in DATA.iterdir()):
        card = MeasuredDevice.from_folder(DATA / name).card
        held, noise = card["predictor"]["held_out"], card["noise"]
        again = noise.get("another_occasion", noise["retest"])
        settings, batch = card["runtime"]["settings"], card["input_shape"][0]
        lines.append(
            f"- **Device `{name}`**: {card['measured']} networks measured with "
            f"{card['runtime']['name']}\n  ({settings['precision']}, batch {batch}, threads "
            f"{settings['intra_op_num_threads']}), the others predicted. Held out: error "
            f"{held['mape']:.1%}, Spearman {held['spearman']:.3f};\n  measuring again differs by "
            f"{again['mape']:.1%}, Spearman {again['spearman']:.3f}. "
            f"[Card](blox_env/data/devices/{name}/CARD.md).\n"
        )
    return "".join(lines)


def filled(text: str) -> str:
    """README.md with its figures brought up to date."""
    if not BLOCK.search(text):
        raise ValueError("README.md has no block of figures")
    return BLOCK.sub(lambda match: match[1] + figures() + match[2], text)


def main() -> None:
    """Rewrite README.md and copy the demo's pictures."""
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text()))
    for name in ("regret.png", "front.png"):
        source = ROOT / "runs" / "demo" / "figures" / name
        if source.exists():
            shutil.copyfile(source, ROOT / "docs" / name)
    draw_best(ROOT / "docs" / "network.png")


def draw_best(path: Path) -> None:
    """The most accurate network of the table, as ``render()`` draws it."""
    import matplotlib.image

    env = BloxEnv(reward="accuracy", render_mode="rgb_array")
    env.reset()
    for block in env.problem.optimum()[0]:
        env.step(block)
    matplotlib.image.imsave(path, env.render())


if __name__ == "__main__":
    main()
