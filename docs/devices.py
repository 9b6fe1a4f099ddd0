"""Writes docs/devices.md from the devices' cards, and the pictures.

    python perf/few_shot.py --write docs/few_shot.json
    python docs/devices.py

A test compares docs/devices.md with what this gives, so none of its figures is typed in.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

import blox_env
from blox_env.analysis.device_points import DevicePoints
from blox_env.devices.embedded import DATA, MeasuredDevice
from blox_env.report.device_picture import draw_device

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "devices"
BENCHMARK = "digits"
ALIKE = 0.8  # Spearman's correlation

INTRODUCTION = """\
# Devices

What a network costs depends on what it runs on. These devices are embedded, for the networks of the
Blox space at full size (width 32, 32×32 pixels, 100 classes), always the same ones but in the
browser and with ncnn: the 45 with three equal blocks, then uniformly drawn ones. A predictor gives
the rest. Every figure on this page is written by `python docs/devices.py` from the
[cards](../blox_env/data/devices), which hold the protocols.

{kinds}
"""

KINDS = {
    "cpu": "Measured on a processor, by `perf/measure_devices.py`",
    "gpu": "Measured on a GPU, in a few minutes on two days, by `perf/measure_gpu.py`",
    "estimated": (
        "Estimated and never measured: cycles as the compiler for an NPU counts them, by "
        "`perf/estimate_npu.py`"
    ),
}

OWN = """\
## Your device

```sh
blox-env measure --out runs/mine --build runs/my-device --device my-laptop   # 640 networks
blox-env search --device runs/my-device
```

`--runtime ncnn | onnxruntime | onnxruntime-web | openvino | torch-cpu | torch-cuda`, `--threads`,
`--batch` and `--precision` say what is measured. A measurement keeps to as many cores as there
are threads, refuses to start while others use them, repeats visits that others disturb, and goes
on where it was stopped.
`--retest runs/my-device` measures again, on another day, and writes into the card how much differs.

With `--budget 50` fifty networks are enough. They are chosen to lie far apart, and the others are
predicted with the known devices as prior knowledge:

```sh
blox-env measure --budget 50 --out runs/few --build runs/my-device --device my-laptop
```

How good that is: each embedded device left out in turn, predicted from so many of its networks and
the other devices (but for those that it helped to predict, see their cards), and compared with its
other measured or estimated networks (`python perf/few_shot.py`).
Networks are *chosen* as the command does, from two thirds of the measured ones, or *drawn* at
random (means of 20 draws of both); *alone* is a ridge on counts of operations without the other
devices, on drawn networks. *Measured again* is what the device itself gives on another occasion.
"""

LEFT_OUT = """\
## Runtimes that are not here

Tried on the machine of the other devices, beside other work, and left out:

- ExecuTorch 1.5.1 (XNNPACK): it converts and agrees with torch to 3·10⁻⁷ on ten networks, but needs
  14 to 36 s for each, half an hour for the networks of a device.
- `torch.compile` (Inductor of torch 2.13): 22 to 89 s a network.
- LiteRT: its way from torch goes over TensorFlow, 10 to 30 s a network (those of the NPUs went it).
- MNN: importing its converter runs pip, which installs a client that reports use.
- ONNX Runtime with two threads: the machine has two cores, and other programs use one of them.

Energy is not here, as the processor's counters (RAPL) cannot be read on it. A microcontroller's
memory is: `estimates.npz` of the NPUs has the peak SRAM of every estimated network.
"""


HOW = """\
Those measured on a processor: all on {machine}. *Held out*: ten-fold cross-validation over the
measured or estimated networks. *Measured again*: some networks on another occasion, as many as the
card says (on the GPU: on the next day), against the device's own values (where its card says so,
those before they were shrunk, or before further networks were measured); differences that all
networks share are part of the error. An estimate is the same every time. All but `x86-ort-1t`
of the processor's were measured on one of two cores while other programs used the other one; the
load of the machine at every visit is in `visits.npz`.

They rank the same networks differently (Spearman over the whole space):
"""

AS_PREDICTED = """\
## Do networks take as long as a device says?

Ten networks that a search for accuracy and latency found, next to one another on the front: what
the device says of them, nearly always a prediction, against a measurement on another occasion, in
the runtime of the device (`python perf/export_latency.py --device NAME`). A factor that all ten
share is the occasion's; the error is what is left. The nearer together the ten are (slowest by
fastest), the less Spearman's correlation can say.
"""

MIXING = """\
## What mixing blocks gains

Grey: all 91,125 architectures, accuracy from the benchmark `digits` (trained or predicted, see its
[card](../blox_env/data/benchmarks/digits/CARD.md)). Blue: the front of all of them. Orange: the 45
with the same block in every stage, as a cell-based space has them, and their front.
`blox-env devices --pictures FOLDER` draws these for any device.
"""


HEADINGS = (
    "| device | runs | batch, precision | median (ms) | own values | held-out error | "
    "Spearman | measured again: error | Spearman |\n"
    "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def kind(card: dict[str, Any]) -> str:
    """What a card is of: a name of :data:`KINDS`."""
    if "estimated" in card:
        return "estimated"
    return "gpu" if "gpu" in card["runtime"]["settings"] else "cpu"


def runs(card: dict[str, Any]) -> str:
    """What runs a network, in words."""
    if kind(card) == "estimated":
        return f"{card['tool']}, {card['settings']['accelerator-config']}"
    settings = card["runtime"]["settings"]
    if kind(card) == "gpu":
        return f"{card['runtime']['name']}, {settings['mode']}"
    threads = settings.get("intra_op_num_threads") or settings["num_threads"]
    return f"{card['runtime']['name']}, {threads} thread{'s' * (threads != '1')}"


def precision(card: dict[str, Any]) -> str:
    """Precision of the arithmetic."""
    settings = card["settings"] if kind(card) == "estimated" else card["runtime"]["settings"]
    return str(settings["precision"])


def table() -> list[str]:
    """One row a device."""
    lines = [HEADINGS]
    for name, card in cards().items():
        held, noise = card["predictor"]["held_out"], again(card)
        lines.append(
            f"| [`{name}`](../blox_env/data/devices/{name}/CARD.md) | {runs(card)} | "
            f"{card['input_shape'][0]}, {precision(card)} | "
            f"{card['latency_ms']['median']:.2f} | {own_values(card)} | {held['mape']:.1%} | "
            f"{held['spearman']:.3f} | "
            + ("– | – |" if noise is None else f"{noise['mape']:.1%} | {noise['spearman']:.3f} |")
        )
    return lines


def own_values(card: dict[str, Any]) -> str:
    """How many networks keep a value of their own, and what that is."""
    if kind(card) == "estimated":
        return f"{card['estimated']} estimated"
    return f"{card['measured']} measured"


def kinds() -> str:
    """A line for each kind of device, with its devices."""
    found: dict[str, list[str]] = {}
    for name, card in cards().items():
        found.setdefault(kind(card), []).append(f"`{name}`")
    return "\n".join(
        f"- {words}: {', '.join(found[key])}." for key, words in KINDS.items() if key in found
    )


def alike(names: list[str], correlation: np.ndarray) -> str:
    """Groups of devices that rank networks alike, in a sentence.

    Args:
        names: of the devices.
        correlation: Spearman's, of every two.
    """
    tree = linkage(squareform(1 - correlation, checks=False), "complete")
    group = fcluster(tree, 1 - ALIKE, "distance")
    groups = [
        ", ".join(f"`{name}`" for name, own in zip(names, group, strict=True) if own == number)
        for number in sorted(set(group.tolist()))
    ]
    return (
        f"Groups in which every two devices correlate by at least {ALIKE:g} (complete linkage), "
        f"{len(groups)} in all: {'; '.join(groups)}."
    )


def ranks() -> list[str]:
    """Spearman's correlation of every two devices, over the space."""
    names = list(cards())
    rows = blox_env.load_device(names[0]).space.all()
    order = [blox_env.load_device(name).latency_ms(rows).argsort().argsort() for name in names]
    correlation = np.asarray(np.corrcoef(order))
    lines = ["| | " + " | ".join(f"`{name}`" for name in names) + " |"]
    lines.append("| --- |" + " ---: |" * len(names))
    for name, row in zip(names, correlation.tolist(), strict=True):
        lines.append(f"| `{name}` | " + " | ".join(f"{value:.2f}" for value in row) + " |")
    return [*lines, "", alike(names, correlation)]


def few_shot() -> list[str]:
    """Error against budget, as perf/few_shot.py wrote it."""
    found: dict[str, Any] = json.loads((ROOT / "docs" / "few_shot.json").read_text())
    lines = [
        "| device | budget | chosen | drawn | alone | measured again |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, figures in found.items():
        for budget in sorted((key for key in figures if key.isdigit()), key=int):
            cells = [figures[budget][how] for how in ("chosen", "drawn", "alone")]
            cells.append(figures["retest"])
            text = " | ".join(
                "–" if c is None else f"{c['mape']:.1%}, {c['spearman']:.3f}" for c in cells
            )
            lines.append(f"| `{name}` | {budget} | {text} |")
    return lines


def as_predicted() -> list[str]:
    """Networks that a search found, predicted and measured, as perf/export_latency.py wrote it."""
    found: dict[str, Any] = json.loads((ROOT / "docs" / "export_latency.json").read_text())
    lines = [
        "| device | networks | slowest by fastest | shared factor | error without it | Spearman |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| `{name}` | {row['networks']} | {row['range']:.2f} | {row['shared']:.3f} "
        f"| {row['error']:.1%} | {row['spearman']:.3f} |"
        for name, row in sorted(found.items())
    ]
    return lines


def pictures() -> list[str]:
    """A picture of every device, with what mixing blocks gains."""
    lines: list[str] = []
    benchmark = blox_env.load_benchmark(BENCHMARK)
    found = {name: DevicePoints.of(benchmark, blox_env.load_device(name)) for name in cards()}
    often = np.sum([points.front for points in found.values()], axis=0)
    for name, points in found.items():
        gain = points.gain()
        known = gain[~np.isnan(gain)]
        caption = (
            f"*`{name}`: mixing gains up to {100 * known.max():.1f} points of accuracy at equal "
            f"latency, {100 * np.median(known):.1f} in the median of the {len(gain)} points of "
            f"the front; {int((points.front & points.uniform).sum())} of these are uniform, "
            f"{int((points.front & (often == 1)).sum())} are on no other device's front.*"
        )
        picture = f"![Accuracy against latency on {name}](devices/{name}.png)"
        lines += [picture, "", caption, ""]
    return lines


def cards() -> dict[str, dict[str, Any]]:
    """Cards of the embedded devices, by name."""
    names = sorted(path.name for path in DATA.iterdir())
    devices = [blox_env.load_device(name) for name in names]
    return {d.name: d.card for d in devices if isinstance(d, MeasuredDevice)}


def again(card: dict[str, Any]) -> dict[str, float] | None:
    """Scores of measuring again: on another occasion, or else of one half of the rounds."""
    noise: dict[str, Any] = card.get("noise", {})
    found: dict[str, float] | None = noise.get("another_occasion", noise.get("retest"))
    return found


def text() -> str:
    """The page."""
    machine = next(card for card in cards().values() if kind(card) == "cpu")["machine"]["cpu"]
    lines = [
        INTRODUCTION.format(kinds=kinds()),
        *table(),
        "",
        HOW.format(machine=machine),
        *ranks(),
        "",
        AS_PREDICTED,
        *as_predicted(),
        "",
        MIXING,
        *pictures(),
        OWN,
        *few_shot(),
        "",
        LEFT_OUT,
    ]
    return "\n".join(lines)


def main() -> None:
    """Write the page and draw the pictures."""
    benchmark = blox_env.load_benchmark(BENCHMARK)
    for name in cards():
        points = DevicePoints.of(benchmark, blox_env.load_device(name))
        draw_device(points, PICTURES / f"{name}.png", title=f"{BENCHMARK} on {name}")
    (ROOT / "docs" / "devices.md").write_text(text())


if __name__ == "__main__":
    main()
