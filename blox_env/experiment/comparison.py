"""The result of :func:`blox_env.compare`: searches that ended, and the runs of all."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from blox_env.experiment.plan import Search
from blox_env.experiment.results import Run, is_whole, read_run
from blox_env.experiment.settings import ExperimentSettings
from blox_env.ground import registry
from blox_env.ground.extras import extra

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Ended:
    """A search that ended, and its error if it failed."""

    search: Search
    error: str | None = None


class Comparison(Sequence[Ended]):
    """The searches that ended in a call, in that order, and the results of all it asked for.

    Args:
        folder: where the results are.
        settings: what was asked for.
        plan: the searches asked for.
        ended: those that were run now.
    """

    def __init__(
        self,
        folder: Path,
        settings: ExperimentSettings,
        plan: Sequence[Search],
        ended: Sequence[Ended],
    ) -> None:
        self.folder, self.settings, self.plan = folder, settings, tuple(plan)
        self._ended = tuple(ended)

    @overload
    def __getitem__(self, index: int) -> Ended: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Ended]: ...

    def __getitem__(self, index: int | slice) -> Ended | Sequence[Ended]:
        """One of the searches that ended now."""
        return self._ended[index]

    def __len__(self) -> int:
        """Number of searches that ended now."""
        return len(self._ended)

    def __iter__(self) -> Iterator[Ended]:
        """Go through the searches that ended now."""
        return iter(self._ended)

    @property
    def failed(self) -> list[Ended]:
        """Searches that failed for good in this call."""
        return [each for each in self._ended if each.error is not None]

    @cached_property
    def runs(self) -> list[Run]:
        """The results of all searches asked for that are there, run now or before."""
        return [read_run(item.path) for item in self.plan if is_whole(Path(item.path))]

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with one row a trial: its search, architecture, accuracy, latency, reward.

        Raises:
            ImportError: without the extra ``experiment``.
        """
        with extra("experiment", "Comparison.to_pandas"):
            import pandas
        frames = []
        for run in self.runs:
            facts = run.facts
            who = {
                "agent": facts.agent,
                "benchmark": facts.benchmark,
                "device": facts.device,
                "repeat": facts.repeat,
            }
            slots = {f"x{slot}": run.x[:, slot] for slot in range(run.x.shape[1])}
            frames.append(
                pandas.DataFrame({**who, "trial": range(len(run)), **slots, **run.columns})
            )
        return pandas.concat(frames, ignore_index=True) if frames else pandas.DataFrame()

    def plot(self) -> Any:
        """A matplotlib figure: simple regret over evaluations, a panel a problem, a line an agent.

        Raises:
            ImportError: without the extra ``experiment``.
            ValueError: when there are no results.
        """
        return registry.resolve("view", "regret")(self.runs)

    def report(self) -> list[Path]:
        """Write the report of everything in the folder; its files, the page last.

        Raises:
            ImportError: without the extra ``experiment``.
        """
        files: list[Path] = registry.resolve("view", "report")(self.folder)
        return files

    def __repr__(self) -> str:
        """Number of searches, folder and failures, in a line."""
        text = f"{len(self.runs)} of {len(self.plan)} searches in {self.folder}"
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"<Comparison: {text}, {len(self)} run now{failed}>"

    def _repr_html_(self) -> str:
        """The best architecture of each agent, for notebooks."""
        best: dict[tuple[str, str, str], Run] = {}
        for run in self.runs:
            facts = run.facts
            place = facts.agent, facts.benchmark, facts.device or "none"
            if place not in best or _reward(run) > _reward(best[place]):
                best[place] = run
        heads = ("agent", "benchmark", "device", "best reward", "accuracy (%)", "latency (ms)")
        rows = [
            [
                *place,
                f"{_reward(run):.4f}",
                f"{100 * run.columns['val_acc'][run.facts.best]:.2f}",
                f"{run.columns['latency_ms'][run.facts.best]:.3f}",
            ]
            for place, run in best.items()
        ]
        lines = [_row("th", heads), *(_row("td", cells) for cells in rows)]
        return f"<table>{''.join(lines)}</table><p>{html.escape(repr(self))}</p>"


def _reward(run: Run) -> float:
    return float(run.columns["reward"][run.facts.best])


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
