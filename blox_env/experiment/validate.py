"""Validation of run files: trials are looked up again, and the search is run again.

Three things are compared with what the file says:

1. every trial with what benchmark and device say about its architecture now;
2. every trial, the simulated times, the result and the optimum with those of the same search run
   again;
3. the costs of all trials with the budget.

Choices, accuracies and latencies have to be equal; what is computed from them (rewards, times) may
differ by a few units in the last place, which is what other processors and libraries do. Whether
the runs of a folder are those of its plan, :mod:`blox_env.experiment.validate_folder` tells.

Names of benchmarks, devices and agents are looked up in the registry; a ``"module:Class"`` is not
loaded, because validating somebody else's results must not run their code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.agent import make_agent, search
from blox_env.experiment.facts import Origin
from blox_env.experiment.plan import Search, optimum
from blox_env.experiment.results import SIMULATED, TRUTH, Run, read_run, truth_of
from blox_env.experiment.runner import run_facts
from blox_env.ground import registry
from blox_env.problem import Problem

SHOWN = 5  # rows of a file that are shown
_LOOKED_UP = ("val_acc", "latency_ms", "reward", "source")
_RESULT = (
    "best",
    "measured",
    "latency_source",
    "test_acc",
    "queries",
    "spent",
    "optimum",
    "best_values",
)
_DETERMINES = ("space", "epochs", "noise_seed", "reward", "latency_target_ms", "max_queries")
_DERIVED = ("reward", TRUTH, "train_time_s", "sim_start_s", "sim_end_s", "spent", "optimum")
ULPS = 4  # units in the last place by which derived numbers may differ
_KINDS = ("agent", "benchmark", "device")


@dataclass(frozen=True)
class Mismatch:
    """A cell that is not what it should be.

    Attributes:
        row: of the trial, None for a fact about the whole run.
        column: name of the column or fact.
        expected: what the data and the search give.
        got: what the file says.
        rounding: True if the two differ in the last bits only, which is no fault.
    """

    row: int | None
    column: str
    expected: object
    got: object
    rounding: bool = False


@dataclass(frozen=True)
class Verdict:
    """Result of validating one run file.

    Attributes:
        path: the file.
        trials: how many are in it.
        error: why it could not be validated; None where it was.
        mismatches: what is wrong, by row; ``expected`` is what the data and the search give.
        notes: what explains a difference: other versions or code than were recorded.
    """

    path: Path
    trials: int = 0
    error: str | None = None
    mismatches: tuple[Mismatch, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """True if everything was confirmed."""
        return self.error is None and not self.mismatches

    def rows(self) -> list[int]:
        """Rows that are wrong, rising."""
        return sorted({m.row for m in self.mismatches if m.row is not None})


def run_files(paths: Iterable[str | Path]) -> list[Path]:
    """Run files given by themselves or by the folder that ``compare`` wrote.

    Raises:
        FileNotFoundError: for what is not there, and for a folder without run files.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path} is not there")
        files = [path]
        if path.is_dir():
            files = sorted(path.glob("runs/*.parquet")) or sorted(path.glob("*.parquet"))
            if not files:
                raise FileNotFoundError(f"no run files (runs/*.parquet) below {path}")
        found += files
    return list(dict.fromkeys(found))


def validate_run(path: str | Path) -> Verdict:
    """Validate one run file; never raises for what is wrong with it."""
    path = Path(path)
    try:
        run = read_run(path)
    except ValueError as error:
        return Verdict(path, error=str(error))
    try:
        return _validate(path, run)
    except Exception as error:  # noqa: BLE001 (whatever is in the file, it is the file's fault)
        return Verdict(path, len(run), error=f"{type(error).__name__}: {error}")


def _validate(path: Path, run: Run) -> Verdict:
    said = run.facts
    for kind in _KINDS:
        name = getattr(said, kind)
        if name is not None and registry.is_code(kind, name):
            error = f"{kind} {name!r} is code and not a registered name: not loaded"
            return Verdict(path, len(run), error=error)
    item = Search.of(said, path)
    problem = item.problem()
    origin = item.origin(problem)
    notes = list(_notes(said, origin))
    wrong = [
        Mismatch(None, f"checksums of {kind}", now, said.checksums.get(kind))
        for kind, now in origin.checksums.items()
        if said.checksums.get(kind) != now
    ]
    if wrong:  # of other data nothing can be confirmed
        return Verdict(path, len(run), mismatches=tuple(wrong), notes=tuple(notes))
    item = replace(item, optimum=optimum(problem))
    wrong += _budget(run)
    wrong += _looked_up(run, problem)
    wrong += _replayed(run, item, problem)
    distinct = {(m.row, m.column): m for m in reversed(wrong)}  # the lookup comes first
    ordered = sorted(distinct.values(), key=lambda m: (m.row is None, m.row or 0, m.column))
    rounded = sorted({m.column for m in ordered if m.rounding})
    if rounded:
        notes.append(
            f"{', '.join(rounded)}: equal but for the last bits, as on another processor or with "
            "another numpy"
        )
    mismatches = tuple(m for m in ordered if not m.rounding)
    return Verdict(path, len(run), mismatches=mismatches, notes=tuple(notes))


def _budget(run: Run) -> Iterator[Mismatch]:
    """The costs of all trials against the budget, whatever the search says of itself."""
    cost = np.asarray(run.columns["cost"], dtype=float)
    if not (cost >= 0).all():
        yield Mismatch(None, "lowest cost", 0.0, float(cost.min()))
    total = float(cost.sum())
    if not total <= run.facts.budget * (1 + 1e-9):
        yield Mismatch(None, "sum of costs", f"at most {run.facts.budget}", total)
    if run.facts.spent is not None and not _close(total, run.facts.spent, 1e-9):
        yield Mismatch(None, "spent", total, run.facts.spent)


def _notes(said: Origin, now: Origin) -> Iterator[str]:
    """Versions and code that are not as they were recorded."""
    there, here = said.versions, now.versions
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            yield f"{name} was {there.get(name, 'not used')}, is {here.get(name, 'not there')}"
    for name in sorted(said.agent_settings.keys() | now.agent_settings.keys()):
        was, is_ = said.agent_settings.get(name), now.agent_settings.get(name)
        if was != is_:
            what = "the agent's code" if name == "code" else f"the agent's option {name}"
            yield f"{what} was {was!r}, is {is_!r}"


def _looked_up(run: Run, problem: Problem) -> Iterator[Mismatch]:
    """Every trial against benchmark and device as they are."""
    draw = problem.seed if problem.noise == "sampled" else None
    columns: dict[str, NDArray[Any]] = {name: run.columns[name] for name in _LOOKED_UP}
    for epochs in np.unique(run.columns["epochs"]).tolist():
        rows = np.flatnonzero(run.columns["epochs"] == epochs)
        x = problem.space.check(run.x[rows])
        value = problem.benchmark.evaluate(x, epochs=epochs, seed=draw)
        latency = (
            np.full(len(x), np.nan) if problem.device is None else problem.device.latency_ms(x)
        )
        expected = {
            "val_acc": value.val_acc,
            "latency_ms": latency,
            "reward": problem.rewards(value.val_acc, latency, x=x),
            "source": value.source,
        }
        if draw is not None and TRUTH in run.columns:
            expected[TRUTH] = problem.peek(x).reward
            columns[TRUTH] = run.columns[TRUTH]
        for name, column in expected.items():
            yield from _cells(name, column, columns[name][rows], rows)


def _replayed(run: Run, item: Search, problem: Problem) -> Iterator[Mismatch]:
    """Every trial and the result against the same search, run again."""
    agent = make_agent(item.agent, dict(item.options))
    history = search(problem, agent, seed=item.seed)
    assert problem.clock is not None
    when = problem.clock.schedule()
    n = min(len(history), len(run))
    expected: dict[str, NDArray[Any]] = dict(history.columns())
    expected |= dict(zip(SIMULATED, (when.start_s, when.end_s, when.worker), strict=True))
    if (truth := truth_of(problem)) is not None:
        expected[TRUTH] = truth
    expected |= {f"x{slot}": history.x[:, slot] for slot in range(history.x.shape[1])}
    got = run.columns | {f"x{slot}": run.x[:, slot] for slot in range(run.x.shape[1])}
    for name in sorted(expected.keys() | got.keys()):
        if name not in expected or name not in got:
            yield Mismatch(None, f"column {name}", name in expected, name in got)
        else:
            yield from _cells(name, expected[name][:n], got[name][:n], np.arange(n))
    if len(history) != len(run):
        yield Mismatch(None, "trials", len(history), len(run))
    result = run_facts(item, problem)
    for name in (*_RESULT, *_DETERMINES):
        wanted, said = getattr(result, name), getattr(run.facts, name)
        if name == "latency_source" and said is None:  # of a file from before there was this fact
            continue
        if said != wanted:
            yield Mismatch(None, name, wanted, said, name in _DERIVED and _close(wanted, said))


def _cells(
    name: str, expected: NDArray[Any], got: NDArray[Any], rows: Sequence[int] | NDArray[np.int64]
) -> Iterator[Mismatch]:
    differs = expected != got
    if expected.dtype.kind == "f" and got.dtype.kind == "f":
        differs &= ~(np.isnan(expected) & np.isnan(got))
    for place in np.flatnonzero(differs).tolist():
        wanted, said = _plain(expected[place]), _plain(got[place])
        rounding = name in _DERIVED and _close(wanted, said)
        yield Mismatch(int(rows[place]), name, wanted, said, rounding)


def _close(one: object, other: object, share: float = 0.0) -> bool:
    """True for floats that differ by a few units in the last place, or by a share of them."""
    if not isinstance(one, float) or not isinstance(other, float):
        return False
    size = max(abs(one), abs(other))
    return abs(one - other) <= max(ULPS * float(np.spacing(size)), share * size)


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value
