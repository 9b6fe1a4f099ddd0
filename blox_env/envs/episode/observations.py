"""What an observation is: the choices so far as numbers, and what the episode aims at."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.envs.episode.decisions import Decisions
from blox_env.envs.episode.masks import Mask
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray, IntArray

Observation = Literal["ops", "onehot", "indices", "graph", "dict"]
OBSERVATIONS = ("ops", "onehot", "indices", "graph", "dict")


class Observer:
    """Observations as one flat row an environment, of which a decision changes some columns.

    Args:
        decisions: what is decided.
        observation: ``"ops"``, ``"onehot"``, ``"indices"``, ``"graph"`` or ``"dict"``.
        goal_columns: numbers that tell the goal, at the end of the row.

    Raises:
        ValueError: for an unknown observation, or ``indices`` with goals.
    """

    def __init__(
        self, decisions: Decisions, observation: Observation = "ops", goal_columns: int = 0
    ) -> None:
        if observation not in OBSERVATIONS:
            raise ValueError(unknown_name("observation", observation, OBSERVATIONS))
        if observation == "indices" and goal_columns:
            raise ValueError(
                "observation='indices' cannot show a goal: choose ops, onehot, graph or dict"
            )
        self.kind = observation
        self.decisions = decisions
        self.goal_columns = goal_columns
        self.dtype = np.int64 if observation == "indices" else np.float32
        self.tables: list[NDArray[Any]]  # of each decision: columns by the prefix after it
        self.columns: list[slice | IntArray]  # of each decision: where they stand
        self.complete: list[NDArray[Any]]  # of each slot: columns by its option
        if observation in ("onehot", "indices"):
            blank = self._by_decision()
        else:
            known = decisions.space.feature_kinds()
            ops = "ops" if "ops" in known else "onehot"
            blank = self._by_slot("graph" if observation == "graph" else ops)
        self.nodes = decisions.space.graph().nodes if observation == "graph" else 0
        self.blank = np.concatenate([blank, np.zeros(goal_columns)]).astype(self.dtype)

    def space(self, actions: int) -> spaces.Space[Any]:
        """The observation space of one environment with masks of so many actions."""
        width = len(self.blank)
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
        box = spaces.Box(0.0, 1.0, (width,), np.float32)
        if self.kind == "ops" or self.kind == "onehot":
            return box
        mask = spaces.Box(0, 1, (actions,), np.int8)
        return spaces.Dict({"observations": box, "action_mask": mask})

    def pack(self, flat: NDArray[Any], mask: Mask) -> Any:
        """Observations, copied, of flat rows ``(…, width)`` and action masks ``(…, actions)``."""
        if self.kind == "dict":
            return {"observations": flat.copy(), "action_mask": mask.copy()}
        if self.kind != "graph":
            return flat.copy()
        end = self.nodes * self.nodes
        square = (*flat.shape[:-1], self.nodes, self.nodes)
        parts = {
            "adjacency": flat[..., :end].reshape(square).astype(np.int8),
            "nodes": flat[..., end : end + self.nodes].astype(np.int64),
        }
        if self.goal_columns:
            parts["goal"] = flat[..., end + self.nodes :].copy()
        return parts

    def show(self, flat: NDArray[Any], rows: IntArray) -> None:
        """Write complete architectures ``(n, slots)`` into flat rows ``(n, width)``."""
        last = [n for n, step in enumerate(self.decisions.steps) if step.option is not None]
        for slot, number in enumerate(last):
            flat[:, self.columns[number]] = self.complete[slot][rows[:, slot]]

    def _by_decision(self) -> FloatArray:
        """Columns of each decision: its choice plus one, or one-hot."""
        self.tables, self.columns, self.complete = [], [], []
        values = self.decisions.space.operation_values()
        parts: list[FloatArray] = []  # of the decisions about the slot at hand
        width = 0
        for step in self.decisions.steps:
            parts = [np.repeat(part, step.choices, axis=0) for part in parts]
            one = np.arange(1.0, step.choices + 1)[:, None]
            own = one if self.kind == "indices" else np.eye(step.choices)
            parts.append(np.tile(own, (len(step.allowed), 1)))
            seen = np.hstack(parts)
            self.tables.append(seen.astype(self.dtype))
            self.columns.append(slice(width, width + seen.shape[1]))
            if step.option is not None:
                shape = self.decisions.tables[step.slot].shape
                if len(shape) == 1:
                    places = np.arange(shape[0])
                else:
                    places = np.ravel_multi_index(tuple(values[step.slot].T), shape)
                self.complete.append(self.tables[-1][places])
                width, parts = width + seen.shape[1], []
        return np.zeros(int(width))

    def _by_slot(self, kind: str) -> FloatArray:
        """Columns of each slot: its features, or those of what is chosen of it."""
        space = self.decisions.space
        full = [table.astype(self.dtype) for table in space.feature_tables(kind)]
        places: list[slice | IntArray] = []
        if kind == "graph":
            places += space.graph().columns
        else:
            ends = np.cumsum([table.shape[1] for table in full]).tolist()
            places += [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        several = any(step.option is None for step in self.decisions.steps)
        partial = [list(tables) for tables in space.partial_tables(kind)] if several else []
        self.complete, self.tables, self.columns = full, [], []
        for step in self.decisions.steps:
            if step.option is None:
                self.tables.append(partial[step.slot].pop(0).astype(self.dtype))
            else:  # an option of -1 is never chosen
                self.tables.append(full[step.slot][step.option])
            self.columns.append(places[step.slot])
        if kind == "graph":
            return space.graph().blank
        return np.zeros(sum(table.shape[1] for table in full))
