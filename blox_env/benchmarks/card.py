"""A benchmark's card as text: every figure in it comes from ``card.json``."""

from __future__ import annotations

from typing import Any

_CARD = """\
# Benchmark `{name}`

{description}

This page is generated from `card.json` beside it; both are written by
`blox-env surrogate`. Nothing in it is typed in.

## Trainings

{trainings[trainings]} trainings of {trainings[architectures]} architectures drawn uniformly from
the space, {trainings[repeated_architectures]} of them trained more than once (up to
{trainings[most_trainings_of_one]} times). Training time is CPU time of the process for training
steps: {trainings[cpu_s_mean]:.1f} s on average, {cpu[0]:.1f} / {cpu[1]:.1f} / {cpu[2]:.1f} s at the
5 % / 50 % / 95 % quantile, {trainings[cpu_h_total]:.1f} h together.

| accuracy of single trainings | minimum | 10 % | median | 90 % | maximum |
| --- | --- | --- | --- | --- | --- |
| validation | {val} |
| test | {test} |

Task and recipe: {recipe}

## Predictions on held-out architectures

Each of the {trainings[architectures]} architectures is predicted by a member of the ensemble that
has not seen it, and compared with the mean of its trainings.

| after the last epoch | validation | test |
| --- | --- | --- |
{quality}
{noise_note}

## The table

All {table[architectures]} architectures; {trainings[architectures]} have `source="trained"`: the
mean of their trainings, shrunk towards the held-out prediction by the noise of that mean. The
others have `source="surrogate"`: the ensemble's mean. `val_std` is the uncertainty of either, on
average {table[val_std_mean]:.4f}. `seed=` adds, with a random sign, the deviation of a real
training of an architecture of similar accuracy from its mean.

| accuracy in the table | minimum | 10 % | median | 90 % | maximum |
| --- | --- | --- | --- | --- | --- |
| validation | {table_val} |
| test | {table_test} |
{search}"""

_SEARCH = """
## How the recipe was found

Each line is a recipe tried as `perf/recipe_search.py` does, on the first architectures of one
seeded draw; the last is the one in use. So few architectures say which recipe is better, not how
good it is: a few that train badly dominate the deviation between them, and the figure above, on
all that were trained since, is the one that counts. Ratio: deviation between seeds over that
between architectures (test accuracy). CPU seconds are those of training and evaluating one
network, two trainings at a time.

| {head} |
| {rule} |
{rows}
"""
_SEARCHED = (
    *("noise", "draws", "epochs", "batch", "peak_lr", "warmup", "clip", "branch_gain"),
    *("architectures", "seeds", "val_q10", "val_median", "val_max", "ratio"),
    *("train_cpu_s", "eval_cpu_s"),
)

_ROWS = (
    ("r2", "R²"),
    ("kendall_tau", "Kendall's τ"),
    ("sparse_kendall_tau", "sparse Kendall's τ (predictions rounded to 0.1 %)"),
    ("spearman", "Spearman's ρ"),
    ("mean_absolute_error", "mean absolute error"),
    ("mean_absolute_noise", "mean absolute noise of one training"),
    ("std_of_architectures", "standard deviation between architectures"),
    ("std_of_one_training", "standard deviation of one training"),
    ("coverage_95", "share within the 95 % interval"),
)


def render_card(card: dict[str, Any]) -> str:
    """The card in Markdown."""
    scores = card["held_out"]
    quality = "\n".join(
        f"| {label} | {scores['val_acc'][key]:.4f} | {scores['test_acc'][key]:.4f} |"
        for key, label in _ROWS
    )
    ratio = scores["test_acc"]["std_of_one_training"] / scores["test_acc"]["std_of_architectures"]
    recipe = ", ".join(f"{k} {v}" for k, v in sorted(card["task"].items()) if k != "recipe")
    recipe += "; " + ", ".join(f"{k} {v:g}" for k, v in sorted(card["task"]["recipe"].items()))
    return _CARD.format(
        **{k: card[k] for k in ("name", "description", "trainings", "table")},
        cpu=card["trainings"]["cpu_s_quantiles"],
        val=_cells(card["trainings"]["val_acc"]),
        test=_cells(card["trainings"]["test_acc"]),
        table_val=_cells(card["table"]["val_acc"]),
        table_test=_cells(card["table"]["test_acc"]),
        recipe=recipe,
        quality=quality,
        search=_search(card["recipe_search"]),
        noise_note=(
            f"\nThe deviation of one training is {ratio:.2f} of that between architectures (test)."
        ),
    )


def _search(tried: list[dict[str, str]]) -> str:
    if not tried:
        return ""
    rows = "\n".join(f"| {' | '.join(row[c] for c in _SEARCHED)} |" for row in tried)
    head = " | ".join(name.replace("_", " ") for name in _SEARCHED)
    return _SEARCH.format(head=head, rule=" | ".join("---" for _ in _SEARCHED), rows=rows)


def _cells(spread: dict[str, float]) -> str:
    return " | ".join(f"{spread[k]:.4f}" for k in ("min", "q10", "median", "q90", "max"))
