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
from blox_env.devices.embedded import MeasuredDevice

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)


def figures() -> str:
    """The block of README.md that holds figures."""
    benchmark = blox_env.load_benchmark("digits")
    device = blox_env.load_device("x86-ort-1t")
    if not isinstance(benchmark, TableBenchmark) or not isinstance(device, MeasuredDevice):
        raise TypeError("the embedded benchmark and device are expected")
    trained, held = benchmark.card["trainings"], benchmark.card["held_out"]["test_acc"]
    card = device.card
    predictor, noise = card["predictor"]["held_out"], card["noise"]["retest"]
    return f"""\
- **Benchmark `digits`**: {trained["trainings"]:,} real trainings of {trained["architectures"]:,}
  architectures; a surrogate predicts the others. Held out: R² {held["r2"]:.3f}, Kendall's τ
  {held["kendall_tau"]:.3f} (sparse {held["sparse_kendall_tau"]:.3f}), mean absolute error
  {held["mean_absolute_error"]:.4f}; one training deviates from its architecture's mean by
  {held["mean_absolute_noise"]:.4f}. [Card](blox_env/data/benchmarks/digits/CARD.md).
- **Device `x86-ort-1t`**: {card["measured"]} networks measured with ONNX Runtime on one thread; a
  predictor gives the others. Held out: error {predictor["mape"]:.1%}, Spearman
  {predictor["spearman"]:.3f}; measuring again differs by {noise["mape"]:.1%}, Spearman
  {noise["spearman"]:.3f}. [Card](blox_env/data/devices/x86-ort-1t/CARD.md).
"""


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
    import matplotlib.image  # noqa: PLC0415 (an extra; the figures do without)

    env = BloxEnv(reward="accuracy", render_mode="rgb_array")
    env.reset()
    for block in env.problem.optimum()[0]:
        env.step(block)
    matplotlib.image.imsave(path, env.render())


if __name__ == "__main__":
    main()
