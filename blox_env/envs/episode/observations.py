"""Observations: the choices so far as numbers, and what the episode aims at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.envs.episode.cells import Cells
from blox_env.envs.episode.decisions import Decision, Decisions
from blox_env.envs.episode.masks import Mask
from blox_env.ground.errors import unknown_name
from blox_env.ground.pieces import Pieces
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import GraphLayout

Observation = Literal["ops", "onehot", "indices", "graph", "dict"]
Observations = Any  # an array, or a dict of arrays, with one entry an episode
OBSERVATIONS = ("ops", "onehot", "indices", "graph", "dict")


class Observer:
    """Observations of what was chosen, looked up cell by cell.

    Args:
        decisions: what is decided.
        cells: their cells.
        observation: ``"ops"``, ``"onehot"``, ``"indices"``, ``"graph"`` or ``"dict"``.
        goal_columns: numbers that tell the goal, at the end of the row.

    Raises:
        ValueError: for an unknown observation, or ``indices`` with goals.
    """

    def __init__(
        self,
        decisions: Decisions,
        cells: Cells,
        observation: Observation = "ops",
        goal_columns: int = 0,
    ) -> None:
        if observation not in OBSERVATIONS:
            raise ValueError(unknown_name("observation", observation, OBSERVATIONS))
        if observation == "indices" and goal_columns:
            raise ValueError(
                "observation='indices' cannot show a goal: choose ops, onehot, graph or dict"
            )
        self.kind = observation
        self.in_parts = observation in ("graph", "dict")  # whether observations are dicts
        self.decisions, self._cells = decisions, cells
        self.goal_columns = goal_columns
        self.dtype = np.int64 if observation == "indices" else np.float32
        self.nodes = 0  # of a graph
        if observation == "graph":
            layout = decisions.space.graph()
            self.nodes = layout.nodes
            width = len(layout.blank)
            segments = self._by_slot("graph", [layout.blank[own] for own in layout.columns])
            self._graphs = _graphs(layout, segments)
        else:
            if observation in ("onehot", "indices"):
                segments = self._by_decision()
            else:
                known = decisions.space.feature_kinds()
                segments = self._by_slot("ops" if "ops" in known else "onehot", None)
            width = sum(segment.shape[1] for segment in segments)
        self.width = width + goal_columns
        # of each slot its columns, by the cells of the slot; one table where all are as wide
        self._segments = [segment.astype(self.dtype) for segment in segments]
        self._table: NDArray[Any] | None = None
        widths = [segment.shape[1] for segment in segments]
        if observation != "graph" and len(set(widths)) == 1:
            self._table = np.concatenate(self._segments)
        elif observation != "graph":
            starts = np.cumsum([0, *widths[:-1]]).tolist()
            self._pieces = Pieces(self._segments, starts, width, firsts=cells.blank.tolist())

    def space(self, actions: int) -> spaces.Space[Any]:
        """The observation space of one environment with masks of so many actions."""
        if self.kind == "indices":
            return spaces.MultiDiscrete([step.choices + 1 for step in self.decisions.steps])
        if self.kind == "graph":
            labels = len(self.decisions.space.graph().labels)
            parts: dict[str, spaces.Space[Any]] = {
                "adjacency": spaces.Box(0, 1, (self.nodes, self.nodes), np.int8),
                "nodes": spaces.MultiDiscrete([labels] * self.nodes),
            }
            if self.goal_columns:
                parts["goal"] = spaces.Box(0.0, 1.0, (self.goal_columns,), np.float32)
            return spaces.Dict(parts)
        box = spaces.Box(0.0, 1.0, (self.width,), np.float32)
        if self.kind == "ops" or self.kind == "onehot":
            return box
        mask = spaces.Box(0, 1, (actions,), np.int8)
        return spaces.Dict({"observations": box, "action_mask": mask})

    def observe(
        self, cells: IntArray, goals: NDArray[np.float32] | None, masks: Mask
    ) -> Observations:
        """Fresh observations of ``n`` episodes.

        Args:
            cells: cell of each slot, ``(n, slots)``.
            goals: how the goals are shown, ``(n, goal_columns)``; None where there are none.
            masks: what is allowed next, ``(n, actions)``; copied where they are shown.
        """
        if self.kind == "graph":
            return self._graph(cells, goals)
        if self._table is not None:
            flat = self._table.take(cells, axis=0).reshape(len(cells), -1)
        else:
            flat = self._pieces.rows_again(cells)
        if goals is not None:
            flat = np.concatenate([flat, goals], axis=1)
        if self.kind == "dict":
            return {"observations": flat, "action_mask": masks.copy()}
        return flat

    def tables(self) -> list[NDArray[Any]]:
        """Columns by the cells of each slot, for environments that are compiled.

        Of a graph they are as wide as the whole and to be added up, else to be joined.
        """
        if self.kind != "graph":
            return self._segments
        return np.split(self._graphs, self._cells.blank[1:])

    def _graph(self, cells: IntArray, goals: NDArray[np.float32] | None) -> dict[str, NDArray[Any]]:
        """Adjacency matrices and labels: sums of what each slot has of them."""
        graphs = self._graphs.take(cells[:, 0], axis=0)
        for slot in range(1, cells.shape[1]):
            graphs += self._graphs.take(cells[:, slot], axis=0)
        end, square = self.nodes * self.nodes, (len(cells), self.nodes, self.nodes)
        parts: dict[str, NDArray[Any]] = {
            "adjacency": graphs[:, :end].reshape(square).astype(np.int8, copy=False),
            "nodes": graphs[:, end:].astype(np.int64),
        }
        if goals is not None:
            parts["goal"] = goals
        return parts

    def _steps(self, slot: int) -> list[Decision]:
        """The decisions about a slot."""
        return [step for step in self.decisions.steps if step.slot == slot]

    def _by_decision(self) -> list[FloatArray]:
        """Columns of each decision: its choice plus one, or one-hot."""
        segments = []
        for slot in range(self.decisions.space.slots):
            parts: list[FloatArray] = []
            seen = [np.zeros((1, 0))]  # columns by the choices so far
            for step in self._steps(slot):
                parts = [np.repeat(part, step.choices, axis=0) for part in parts]
                one = np.arange(1.0, step.choices + 1)[:, None]
                own = one if self.kind == "indices" else np.eye(step.choices)
                parts.append(np.tile(own, (len(step.allowed), 1)))
                seen.append(np.hstack(parts))
            width = seen[-1].shape[1]
            padded = [np.pad(each, ((0, 0), (0, width - each.shape[1]))) for each in seen]
            segments.append(np.concatenate(padded))
        return segments

    def _by_slot(self, kind: str, blank: Sequence[FloatArray] | None) -> list[FloatArray]:
        """Columns of each slot: its features, or those of what is chosen of it."""
        space = self.decisions.space
        full = space.feature_tables(kind)
        several = any(step.option is None for step in self.decisions.steps)
        partial = space.partial_tables(kind) if several else [[] for _ in full]
        segments = []
        for slot, table in enumerate(full):
            nothing = np.zeros(table.shape[1]) if blank is None else blank[slot]
            option = self._steps(slot)[-1].option
            assert option is not None  # the last decision about a slot completes it
            segments.append(np.concatenate([nothing[None], *partial[slot], table[option]]))
        return segments


def _graphs(layout: GraphLayout, segments: Sequence[FloatArray]) -> NDArray[Any]:
    """Columns that each cell adds to a graph's row; the first slot has the constant ones, too."""
    parts = []
    for columns, segment in zip(layout.columns, segments, strict=True):
        part = np.zeros((len(segment), len(layout.blank)))
        part[:, columns] = segment
        parts.append(part)
    constant = layout.blank.copy()
    constant[np.concatenate(layout.columns)] = 0
    parts[0] += constant
    whole = np.concatenate(parts)
    return whole.astype(np.int8 if whole.max() < 128 else np.int32)
