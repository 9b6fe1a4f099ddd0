"""A benchmark's card as text: every figure in it comes from ``card.json``."""

from __future__ import annotations

from typing import Any

_CARD = """\
# Benchmark `{name}`

{description}

This page is generated from `card.json` beside it; both are written by
`blox-env surrogate build`. Nothing in it is typed in.

## Where searches end

{fresh}

Held out: architectures that optimisers found in earlier rounds, each predicted by models that have
not seen it, and compared with the mean of its trainings. Bias is prediction minus truth. The
ceiling is what a perfect table would reach, given the noise of these means.

{found}

## On architectures drawn uniformly

{uniform}

By tenths of the prediction, from the worst to the best: bias, and the share of truths in intervals
of 50, 80 and 95 %.

{tenths}

{later}

## One training against another

{second}

{seeds}

## Trainings

{trainings[trainings]} trainings of {trainings[architectures]} architectures, of which
{trainings[uniform_architectures]} were drawn uniformly. Trainings by what asked for them:
{asked_by}; rounds are of what optimisers found on earlier tables.
{trainings[repeated_architectures]} were trained more than once,
{trainings[three_or_more]} three times or more (up to {trainings[most_trainings_of_one]}). They ran
on: {ran_on}. {time}

| accuracy of single trainings | minimum | 10 % | median | 90 % | maximum |
| --- | --- | --- | --- | --- | --- |
| validation | {val} |
| test | {test} |

Task and recipe: {recipe}

Share of the variance of uniform architectures that one number explains:

{structure}

## The table

All {table[architectures]} architectures; {trainings[architectures]} have `source="trained"`: the
mean of their trainings, shrunk towards the held-out prediction by the noise of that mean. The
others have `source="surrogate"`: a mixture of models ({weights}), weighted by how well each
predicts {weighed_on}. `val_std` is the uncertainty of either, on average
{table[val_std_mean]:.4f}. `seed=` adds, with a random sign, the deviation of a real training of an
architecture of similar accuracy from its mean.

| accuracy in the table | minimum | 10 % | median | 90 % | maximum |
| --- | --- | --- | --- | --- | --- |
| validation | {table_val} |
| test | {table_test} |
{search}"""

_SEARCH = """
## How the recipe was found

Each line is a recipe that was tried. Ratio: deviation between seeds over that between
architectures. So few architectures say which recipe is better, not how good it is.

| {head} |
| {rule} |
{rows}
"""

_ROWS = (
    ("architectures", "architectures"),
    ("bias", "bias"),
    ("bias_error", "its standard error"),
    ("r2", "R²"),
    ("r2_ceiling", "ceiling of R²"),
    ("kendall_tau", "Kendall's τ"),
    ("sparse_kendall_tau", "sparse Kendall's τ (predictions rounded to 0.1 %)"),
    ("spearman", "Spearman's ρ"),
    ("mean_absolute_error", "mean absolute error"),
    ("std_of_truth", "standard deviation between architectures"),
    ("std_of_one_training", "standard deviation of one training"),
    ("coverage_50", "share within the 50 % interval"),
    ("coverage_80", "share within the 80 % interval"),
    ("coverage_95", "share within the 95 % interval"),
)


def render_card(card: dict[str, Any]) -> str:
    """The card in Markdown."""
    facts = card["trainings"]
    recipe = ", ".join(f"{k} {v}" for k, v in sorted(card["task"].items()) if k != "recipe")
    recipe += "; " + ", ".join(f"{k} {v}" for k, v in sorted(card["task"]["recipe"].items()))
    held_out = card["held_out"]
    return _CARD.format(
        **{k: card[k] for k in ("name", "description", "trainings", "table")},
        fresh=_fresh(card["fresh"]),
        later=_later(card.get("fresh_uniform")),
        found=held_out_table(held_out["found"]),
        uniform=held_out_table(held_out["uniform"]),
        tenths=_tenths(held_out["uniform"]),
        second=second_training(held_out["uniform"], card["single_training"]),
        seeds=_common(card.get("seeds")),
        asked_by=listed(facts["asked_by"]),
        ran_on=listed(facts["ran_on"]),
        time=_time(facts, card["task"].get("train_time", "")),
        weighed_on="what optimisers found" if held_out["found"] else "held-out architectures",
        weights=", ".join(
            f"{name} {weight:.2f}" for name, weight in sorted(card["weights"].items())
        ),
        structure="\n".join(f"- {name}: {v:.2f}" for name, v in sorted(card["structure"].items()))
        or "- not known for this space",
        val=_cells(facts["val_acc"]),
        test=_cells(facts["test_acc"]),
        table_val=_cells(card["table"]["val_acc"]),
        table_test=_cells(card["table"]["test_acc"]),
        recipe=recipe,
        search=_searches(card["recipe_search"]),
    )


def _fresh(scores: dict[str, float] | None) -> str:
    if scores is None:
        return "No fresh trainings were made after this table."
    return (
        f"After this table was finished, optimisers searched it, and {scores['architectures']} of "
        f"the architectures that they found were trained afresh with new seeds "
        f"({scores['trainings']} trainings, never fitted on; {scores['trained_before']} of these "
        f"architectures had been trained before). {_seeds(scores)}\n\n"
        f"{_scores('on what optimisers found, fresh trainings', scores)}"
    )


def _later(scores: dict[str, Any] | None) -> str:
    if scores is None:
        return "No uniform architectures were trained after this table."
    return (
        f"After this table was finished, {scores['architectures']} architectures were drawn "
        f"uniformly and trained ({scores['trainings']} trainings, never fitted on).\n\n"
        f"{_scores('on uniform architectures, later trainings', scores)}"
        + (f"\n\nBy tenths of the prediction:\n\n{_tenths(scores)}" if "tenths" in scores else "")
    )


def _scores(title: str, scores: dict[str, float]) -> str:
    rows = "\n".join(f"| {label} | {_figure(scores[key])} |" for key, label in _ROWS)
    return f"| {title} | validation |\n| --- | --- |\n{rows}"


def _seeds(scores: dict[str, float]) -> str:
    if not scores.get("std_of_seeds"):
        return f"They had {scores.get('seeds', 'their own')} seeds."
    return (
        f"They had {scores['seeds']} seeds; what all trainings with one seed have in common has a "
        f"deviation of {scores['std_of_seeds']:.4f}, which the error of the bias contains."
    )


def held_out_table(scores: dict[str, Any] | None) -> str:
    """Scores of held-out predictions as a table, or that there are none."""
    if scores is None:
        return "Too few architectures for a figure."
    rows = "\n".join(
        f"| {label} | {_figure(scores['val_acc'][key])} | {_figure(scores['test_acc'][key])} |"
        for key, label in _ROWS
    )
    return f"| after the last epoch | validation | test |\n| --- | --- | --- |\n{rows}"


def _tenths(scores: dict[str, Any] | None) -> str:
    if scores is None:
        return "Too few architectures for tenths."
    rows = "\n".join(
        f"| {t['predicted']:.3f} | {t['bias']:+.4f} ± {t['bias_error']:.4f} "
        f"| {t['coverage_50']:.2f} | {t['coverage_80']:.2f} | {t['coverage_95']:.2f} |"
        for t in scores["tenths"]
    )
    return (
        "| mean prediction | bias ± standard error | 50 % | 80 % | 95 % |\n"
        f"| --- | --- | --- | --- | --- |\n{rows}"
    )


def second_training(scores: dict[str, Any] | None, test: dict[str, float] | None) -> str:
    """Worth of a second training and of a table of single ones, in words.

    Args:
        scores: of uniform architectures, None for too few.
        test: figures of the noise test, None for too few.
    """
    second = scores and scores["second_training"]
    text = "Too few architectures were trained twice." if not second else (
        f"A second training of the same architecture, as a prediction of the first "
        f"({second['pairs']} uniform architectures): R² {second['r2']:.3f}, Kendall's τ "
        f"{second['kendall_tau']:.3f}, sparse {second['sparse_kendall_tau']:.3f}, mean absolute "
        f"error {second['mean_absolute_error']:.4f}. Intraclass correlation "
        f"{second['intraclass_correlation']:.3f}, in the best quarter "
        f"{(best := second['intraclass_correlation_best_quarter']):.3f}; were trainings averaged, "
        f"there, {of_means(best, 2):.2f} of two and {of_means(best, 3):.2f} of three."
    )  # fmt: skip
    if test:
        text += (
            f"\n\nNAS-Bench-301's noise test, at predicting the mean of other trainings of "
            f"{test['architectures']} uniform architectures: mean absolute error "
            f"{test['error_of_one_training']:.4f} of a table of one training each, "
            f"{test['error_of_surrogate']:.4f} of the surrogate, which has seen none of them."
        )
    return text


def of_means(correlation: float, trainings: int) -> float:
    """Intraclass correlation of means of several trainings (Spearman 1910, Brown 1910).

    Args:
        correlation: that of single trainings.
        trainings: how many are averaged.
    """
    return trainings * correlation / (1 + (trainings - 1) * correlation)


def _common(seeds: dict[str, Any] | None) -> str:
    if not seeds:
        return "What trainings with one seed have in common was not taken off."
    if not seeds["levels"]:
        return "No seed was shared by several architectures."
    levels = ", ".join(
        f"{line['seed']} ({line['level']:+.4f} ± {line['error']:.4f})" for line in seeds["levels"]
    )
    return (
        f"All trainings with one seed are high or low together: between seeds that has a deviation "
        f"of {seeds['std_of_seeds']:.4f}. It was estimated from architectures trained with several "
        f"seeds and taken off before anything was fitted; seeds shared by several architectures, "
        f"and their levels: {levels}."
    )


def _time(facts: dict[str, Any], how: str) -> str:
    if not facts["timed"]:
        return "Training times on a CPU were not measured."
    low, middle, high = facts["cpu_s_quantiles"]
    return (
        f"Training time: {how or 'CPU seconds of training steps, measured'}, for "
        f"{facts['timed']} trainings, and predicted from them for the others: "
        f"{facts['cpu_s_mean']:.1f} s on average, {low:.1f} / {middle:.1f} / {high:.1f} s at the "
        f"5 % / 50 % / 95 % quantile."
    )


def listed(counts: dict[str, int]) -> str:
    """Names with their counts, in words."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _figure(value: float) -> str:
    return f"{value:.0f}" if isinstance(value, int) else f"{value:.4f}"


def _cells(spread: dict[str, float]) -> str:
    names = ("min", "q10", "median", "q90", "max")
    return " | ".join(f"{spread[name]:.3f}" for name in names)


def _searches(rows: list[list[str]]) -> str:
    if not rows:
        return ""
    head, *tried = rows
    return _SEARCH.format(
        head=" | ".join(head),
        rule=" | ".join("---" for _ in head),
        rows="\n".join("| " + " | ".join(row) + " |" for row in tried),
    )
