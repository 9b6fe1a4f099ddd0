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
    benchmark = blox_env.load_benchmark("digits")
    if not isinstance(benchmark, TableBenchmark):
        raise TypeError("the embedded benchmark is expected")
    trained, held = benchmark.card["trainings"], benchmark.card["held_out"]["test_acc"]
    return f"""\
- **Benchmark `digits`**: {trained["trainings"]:,} real trainings of {trained["architectures"]:,}
  architectures; a surrogate predicts the others. Held out: R² {held["r2"]:.3f}, Kendall's τ
  {held["kendall_tau"]:.3f} (sparse {held["sparse_kendall_tau"]:.3f}), mean absolute error
  {held["mean_absolute_error"]:.4f}; one training deviates from its architecture's mean by
  {held["mean_absolute_noise"]:.4f}. [Card](blox_env/data/benchmarks/digits/CARD.md).
{devices()}"""


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
