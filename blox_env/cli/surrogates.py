"""``surrogate``: models of trainings, compared and made into benchmarks."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

import blox_env
from blox_env.cli.common import console
from blox_env.cli.views.progress import tracked
from blox_env.ground.errors import unknown_name
from blox_env.ground.files import write_json

app = typer.Typer(
    help="Models of trainings: compare families, make a benchmark.", no_args_is_help=True
)

Space = Annotated[str, typer.Option(help="Space of the architectures: blox or bloxxl.")]


@app.command()
def build(
    out: Annotated[Path, typer.Option(help="Folder of the benchmark.")],
    trainings: Annotated[
        list[Path] | None, typer.Option(help="What collect packed; once for each file.")
    ] = None,
    name: Annotated[str, typer.Option(help="What the benchmark is called.")] = "my-digits",
    family: Annotated[
        list[str] | None,
        typer.Option(help="Family of the mixture; once for each. [gaussian-process, trees]"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the folds.")] = 0,
    fresh: Annotated[
        Path | None, typer.Option(help="Later trainings to judge the table by; never fitted on.")
    ] = None,
) -> None:
    """Fit a surrogate on trainings and write a benchmark with its data card."""
    from blox_env.benchmarks.build import build_benchmark, judge_benchmark
    from blox_env.benchmarks.surrogate import DEFAULT

    if trainings is None and fresh is None:
        raise typer.BadParameter("give --trainings to fit on, --fresh to judge by, or both")
    space = blox_env.BloxSpace()
    with console.status("fitting the surrogate"):
        if trainings is not None:
            card = build_benchmark(
                trainings, out, space, name=name, families=family or DEFAULT, seed=seed
            )
        if fresh is not None:
            card = judge_benchmark(out, fresh, space)
    console.print_json(
        json.dumps({k: card[k] for k in ("trainings", "held_out", "fresh", "table")})
    )


@app.command()
def fit(
    out: Annotated[Path, typer.Option(help="Folder of the benchmark, not there yet.")],
    trainings: Annotated[list[Path], typer.Option(help="What collect packed; once for each file.")],
    space: Space = "blox",
    name: Annotated[str, typer.Option(help="What the benchmark is called.")] = "my-surrogate",
    family: Annotated[
        str, typer.Option(help="lightgbm; or mlp, a network that is quicker by far.")
    ] = "lightgbm",
    folds: Annotated[int, typer.Option(help="Folds of held-out predictions.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of folds and models.")] = 0,
) -> None:
    """Fit a model and write it as a benchmark: for spaces that no table can hold."""
    from blox_env.benchmarks.fit import fit_model

    with console.status("fitting the surrogate"):
        facts = fit_model(trainings, out, space, name=name, family=family, folds=folds, seed=seed)
    console.print_json(json.dumps({k: facts[k] for k in ("trainings", "held_out")}))


@app.command()
def evaluate(
    trainings: Annotated[list[Path], typer.Option(help="What collect packed; once for each file.")],
    space: Space = "blox",
    family: Annotated[
        list[str] | None,
        typer.Option(help="Family to evaluate; once for each. [gaussian-process, trees]"),
    ] = None,
    sizes: Annotated[
        str, typer.Option(help="Sizes of samples to fit on as well, such as 50,100,200.")
    ] = "",
    folds: Annotated[int, typer.Option(help="Folds of held-out predictions.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of folds, samples and models.")] = 0,
    out: Annotated[Path | None, typer.Option(help="JSON file for all figures.")] = None,
) -> None:
    """Compare families of surrogates on trainings: held out, and where searches end."""
    from blox_env.benchmarks.collect import SPACES
    from blox_env.benchmarks.evaluation import evaluate_families
    from blox_env.benchmarks.surrogate import DEFAULT
    from blox_env.benchmarks.trainings import join, read
    from blox_env.cli.views.families import show_families

    if space not in SPACES:
        raise typer.BadParameter(unknown_name("space", space, SPACES), param_hint="--space")
    if out is not None and out.suffix != ".json":
        raise typer.BadParameter("--out must be a .json file", param_hint="--out")
    with tempfile.TemporaryDirectory() as folder:
        join(trainings, Path(folder) / "trainings.csv")
        raw = read(Path(folder) / "trainings.csv")
    with tracked() as track:
        found = evaluate_families(
            raw, SPACES[space](), family or DEFAULT, sizes=_numbers(sizes),
            folds=folds, seed=seed, track=track,
        )  # fmt: skip
    show_families(found, console)
    if out is not None:
        write_json(out, found)


def _numbers(text: str) -> list[int]:
    """Numbers of a list such as ``50,100``."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [part for part in parts if not part.isdecimal() or int(part) < 1]
    if wrong:
        raise typer.BadParameter(
            f"expected numbers of at least 1, such as 50,100; got {wrong[0]!r}",
            param_hint="--sizes",
        )
    return [int(part) for part in parts]
