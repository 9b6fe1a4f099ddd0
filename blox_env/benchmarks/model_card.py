"""The data card of a benchmark that is a model, in Markdown."""

from __future__ import annotations

from typing import Any

from blox_env.benchmarks.card import held_out_table, listed, second_training

_CARD = """# {name}

{description}

Every value is a prediction of a model ({family}) of real trainings: nothing is looked up, and the
space need not be listed. `seed=` adds the deviation of a real training of similar accuracy.

| | |
| --- | --- |
| trainings | {trainings:,} of {architectures:,} architectures |
| uniform architectures | {uniform:,} |
| with three seeds or more | {three:,} |
| asked for by | {asked_by} |
| where | {ran_on} |

## Held out, found by optimisers

{found}

## Held out, uniform

{uniform_scores}

{second}

Task: {task}.
"""


def render_model_card(facts: dict[str, Any]) -> str:
    """The card of what ``surrogate.json`` holds."""
    made, held_out = facts["trainings"], facts["held_out"]
    known = {key: value for key, value in facts["task"].items() if key != "recipe"}
    recipe = {**known, **facts["task"].get("recipe", {})}
    return _CARD.format(
        name=facts["name"],
        description=facts["description"],
        family=facts["family"],
        trainings=made["trainings"],
        architectures=made["architectures"],
        uniform=made["uniform_architectures"],
        three=made["three_or_more"],
        asked_by=listed(made["asked_by"]),
        ran_on=listed(made["ran_on"]),
        found=held_out_table(held_out["found"]),
        uniform_scores=held_out_table(held_out["uniform"]),
        second=second_training(held_out["uniform"], facts["single_training"]),
        task=", ".join(f"{key} {value}" for key, value in sorted(recipe.items())),
    )
