"""Write the figures of docs/jax.md: how fast the compiled searches are, and what they find.

    python docs/compiled.py

From ``docs/jax_population.json`` (``perf/jax_population.py --out``, on a GPU) and
``docs/jax_ppo.json`` (``perf/jax_ppo.py --seeds 200 --out``, on one core).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def gpu(result: dict[str, Any]) -> str:
    """Many searches on a GPU."""
    plain = result["sb3"]
    lines = [
        "PPO with the hyper-parameters of the agent `ppo` on the default problem, 500 evaluations",
        f"each, on one {result['device'].removeprefix('gpu ')} with jax {result['jax']}.",
        f"Stable-Baselines3 {plain['stable_baselines3']}, with the same hyper-parameters on",
        f"`blox_env.adapters.sb3`, makes {plain['steps_s']:,} steps a second of one core of the",
        "same machine.",
        "",
        "| searches | compiled | searched | steps/s | × Stable-Baselines3 | memory | regret |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, part in result.items():
        if name.startswith("population_") and "steps_s" in part:
            low, middle, high = (part["regret"]["500"][place] for place in (1, 3, 5))
            lines.append(
                f"| {part['searches']:,} | {part['compiled_s']:.1f} s | {part['run_s']:.2f} s | "
                f"{part['steps_s']:,} | {part['steps_s'] / plain['steps_s']:,.0f} | "
                f"{part['program_mb']:,.0f} MB | {low:.4f}, {middle:.4f}, {high:.4f} |"
            )
    return "\n".join([*lines, "", "(Regret: 5 %, median and 95 % of the searches.)"])


def core(result: dict[str, Any]) -> str:
    """One core."""
    lines = [
        f"jax {result['jax']}, torch {result['torch']}.",
        "",
        "| hyper-parameters | searches | steps/s | Stable-Baselines3 | ratio | compiled | memory |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, part in result["speed"].items():
        for label in ("one search", "64 searches"):
            own = part[label]
            ratios = sorted(own["ratios"])
            lines.append(
                f"| {name} | {label} | {own['steps_s']:,.0f} | "
                f"{part['stable-baselines3']['steps_s']:,.0f} | {ratios[len(ratios) // 2]:.0f} | "
                f"{own['compiled_s']:.1f} s | {own['megabytes']:.0f} MB |"
            )
    return "\n".join(lines)


def regret(result: dict[str, Any]) -> str:
    """The final regrets of both."""
    found = result["regret"]
    (low, high), means, p = found["difference"], found["means"], found["p"]
    return (
        f"Mean regret after {found['budget']} evaluations of the default problem, "
        f"{found['seeds']} seeds each: `ppo` {means['ppo']:.5f}, `ppo-jax`\n"
        f"{means['ppo-jax']:.5f}; difference {means['ppo-jax'] - means['ppo']:+.5f}, 95 % interval "
        f"{low:+.5f} … {high:+.5f} (bootstrap).\nKolmogorov-Smirnov p = "
        f"{p['Kolmogorov-Smirnov']:.2f}, Mann-Whitney p = {p['Mann-Whitney']:.2f}."
    )


def filled(text: str) -> str:
    """The page with the figures of the files."""
    many = json.loads((HERE / "jax_population.json").read_text(encoding="utf-8"))
    one = json.loads((HERE / "jax_ppo.json").read_text(encoding="utf-8"))
    for name, words in (("gpu", gpu(many)), ("core", core(one)), ("regret", regret(one))):
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}{words}\n{end}{rest.split(end)[1]}"
    return text


if __name__ == "__main__":
    page = HERE / "jax.md"
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
