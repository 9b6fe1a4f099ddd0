"""Writes the figures of README.md from the data's cards, and the pictures from a run of the demo.

    make demo && python docs/readme.py

Times are those that ``python docs/speed.py`` measured, spaces those that environments have.

A test compares the figures in README.md with what this gives, so none of them is typed in.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import blox_env
from blox_env import BloxEnv
from blox_env.benchmarks.model import ModelBenchmark
from blox_env.benchmarks.table import TableBenchmark
from blox_env.devices.embedded import DATA

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- /\2 -->)", re.DOTALL)
ONE_MORE: dict[str, tuple[dict[str, Any], ...]] = {
    "Blox-v0": ({"granularity": "operation"}, {"granularity": "whole"}),
    "BloxEdit-v0": ({"granularity": "operation"},),
    "MOBlox-v0": (),
}


def speed() -> str:
    """What a search costs beside the trainings that it looks up, and how quick the rest is."""
    kept = json.loads((ROOT / "docs" / "speed.json").read_text())
    return (
        f"- A search of `{kept['agent']}` with {kept['budget']} evaluations takes "
        f"{kept['search_s']:.2f} s of one core.\n  The trainings that it looks up are "
        f"{kept['train_hours']:.0f} hours according to the benchmark, of networks that are small.\n"
        f"- {_round(kept['look_ups_s'])} look-ups of accuracy and latency a second, in batches; "
        f"the exact front in {kept['front_s']:.2f} s.\n"
        f"- {_round(kept['single_steps_s'])} steps a second of one environment, "
        f"{_round(kept['vector_steps_s'])} of a vector environment with {kept['num_envs']:,}.\n\n"
        f"On `{kept['benchmark']}` and `{kept['device']}`, tables loaded; seconds of one core of "
        f"an {kept['machine']['cpu']}, which has other work:\n"
        "[`python docs/speed.py`](docs/speed.py).\n"
    )


def _round(number: float) -> str:
    """A number with two digits that count."""
    return f"{float(f'{number:.2g}'):,.0f}"


def environments() -> str:
    """Spaces of the environments of the Blox space, and of each observation."""
    lines = [
        "| environment | actions | observations | steps |",
        "| --- | --- | --- | --- |",
    ]
    for name, more in ONE_MORE.items():
        arguments: dict[str, Any]
        for arguments in ({}, *more):
            env = gym.make(f"blox_env/{name}", **arguments)
            told = ", ".join(f"`{key}={value!r}`" for key, value in arguments.items())
            lines.append(
                f"| `{name}`{' with ' + told if told else ''} | `{env.action_space}` | "
                f"`{env.observation_space}` | {_steps(env)} |"
            )
    for kind in ("onehot", "indices", "graph", "dict"):
        env = gym.make("blox_env/Blox-v0", observation=kind)
        told = re.sub(r"\[(\d+)( \1){3,}\]", r"[\1 \1 …]", str(env.observation_space))
        lines.append(
            f"| `Blox-v0` with `observation={kind!r}` | `{env.action_space}` | `{told}` | 3 |"
        )
    return "\n".join([*lines, ""])


def _steps(env: gym.Env[object, object]) -> str:
    """Length of an episode of allowed actions; ``"up to"`` where another end is set."""
    limit = env.spec.max_episode_steps if env.spec else None
    if limit:
        return f"up to {limit}"
    rng, steps, over = np.random.default_rng(0), 0, False
    _, info = env.reset(seed=0)
    while not over:
        if isinstance(env.action_space, gym.spaces.Discrete):
            action: object = int(rng.choice(np.flatnonzero(info["action_mask"])))
        else:
            action = env.action_space.sample()
        _, _, over, _, info = env.step(action)
        steps += 1
    return str(steps)


def figures() -> str:
    """The block of README.md that holds figures."""
    names = ("cifar10", "digits", "bloxxl-digits")
    return "".join(benchmark(name) for name in names) + devices()


def benchmark(name: str) -> str:
    """A line for an embedded benchmark: what optimisers find first, then uniform architectures."""
    loaded = blox_env.load_benchmark(name)
    if not isinstance(loaded, TableBenchmark | ModelBenchmark):
        raise TypeError("an embedded benchmark is expected")
    trained, held = loaded.card["trainings"], loaded.card["held_out"]
    counts = (
        f"{trained['trainings']:,} real trainings of {trained['architectures']:,} architectures"
    )
    lines = [f"- **Benchmark `{name}`**: {counts}; models predict the others.\n"]
    for label, scores in (
        ("On what optimisers found on it, trained afresh", loaded.card.get("fresh")),
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
        card = blox_env.load_device(name).card
        held, noise = card["predictor"]["held_out"], card.get("noise", {})
        again = noise.get("another_occasion", noise.get("retest"))
        if "estimated" in card:
            own = f"{card['estimated']} networks estimated by {card['tool']}\n  (int8, batch 1)"
        else:
            settings = card["runtime"]["settings"]
            threads = settings.get("intra_op_num_threads") or settings.get("num_threads")
            how = settings["mode"] if threads is None else f"threads {threads}"
            own = (
                f"{card['measured']} networks measured with {card['runtime']['name']}\n"
                f"  ({settings['precision']}, batch {card['input_shape'][0]}, {how})"
            )
        others = "all latencies" if card.get("kind") == "slotwise" else "the others"
        repeated = (
            f";\n  measuring again differs by {again['mape']:.1%}, Spearman {again['spearman']:.3f}"
            if again
            else "; nothing was measured"
        )
        lines.append(
            f"- **Device `{name}`**: {own}, {others} predicted. Held out: error "
            f"{held['mape']:.1%}, Spearman {held['spearman']:.3f}{repeated}. "
            f"[Card](blox_env/data/devices/{name}/CARD.md).\n"
        )
    return "".join(lines)


def filled(text: str) -> str:
    """README.md with its figures brought up to date."""
    blocks = {"figures": figures, "speed": speed, "environments": environments}
    if {match[2] for match in BLOCK.finditer(text)} != set(blocks):
        raise ValueError(f"README.md has not all blocks: expected {', '.join(blocks)}")
    return BLOCK.sub(lambda match: match[1] + blocks[match[2]]() + match[3], text)


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
