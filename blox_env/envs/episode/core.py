"""The one transition: episodes begin and advance here, one or thousands of them, in arrays."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.envs.episode.goals import draws
from blox_env.envs.episode.masks import Mask
from blox_env.envs.episode.moves import ALL, Moved, Which
from blox_env.envs.episode.observations import Observations
from blox_env.envs.episode.rules import Rules
from blox_env.ground.typing import FloatArray, IntArray

News = list[tuple[Which, dict[str, NDArray[Any]]]]  # whose, and of each key of info a value each


@dataclass(slots=True)
class Step:
    """Result of an action in every episode: arrays with one entry an episode, and infos."""

    rewards: NDArray[Any]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    news: News


class Episodes:
    """The state of ``n`` episodes under the same rules.

    What an action does is the rules' ``moves``, what is seen their ``observer``, what is earned
    their ``reward``; here is what happens when: a masked action terminates an episode, a complete
    architecture is evaluated, what the budget does not pay truncates.

    Args:
        rules: the parts of the environment.
        n: how many episodes.

    Attributes:
        goals: what each aims at, ``(n,)``.
        seeds: seed of each, ``(n,)``, None until there is one.
        numbers: number of the episode since the seed, ``(n,)``; -1 before the first, and where
            nothing is drawn.
        draws_anything: whether beginnings need seeds.
    """

    def __init__(self, rules: Rules, n: int) -> None:
        self.rules, self.n = rules, n
        self.moves = rules.moves
        self._has_goals = rules.goals.columns > 0
        self.draws_anything = self._has_goals or rules.moves.drawn > 0
        self.position = rules.moves.position(n)
        self.goals = np.zeros(n)
        self.seeds: NDArray[np.uint64] | None = None
        self.numbers = np.full(n, -1)
        self._value = np.zeros(n)  # reward of the architecture that an episode goes on from
        self._paid = np.zeros(n, dtype=bool)  # whether the budget reached it

    def __getstate__(self) -> dict[str, Any]:
        """All but what the rules have."""
        return {name: value for name, value in self.__dict__.items() if name != "moves"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy moves by the rules that it has."""
        self.__dict__ |= state
        self.moves = self.rules.moves

    def begin(
        self, which: Which, goals: FloatArray | None = None, starts: IntArray | None = None
    ) -> News:
        """Begin episodes.

        Args:
            which: these.
            goals: what each of all ``n`` aims at, drawn if not given.
            starts: architectures ``(n, slots)`` to begin from, drawn if not given; nothing where
                architectures are built.

        Returns:
            News of what was evaluated.
        """
        moves = self.moves
        news: News = []
        rows = None
        if self.draws_anything:
            self.numbers[which] += 1
            drawn = self._draws(which)
            if self._has_goals:
                draw = self.rules.goals.draw
                self.goals[which] = draw(drawn[0]) if goals is None else goals[which]
            rows = moves.starts(drawn[1:]) if starts is None else starts[which]
        moves.begin(self.position, which, rows)
        if rows is not None:
            self._no_cost(which, news)  # of those that cannot be paid for
            self._paid[which] = False
            paid, rewards, _ = self._evaluate(which, rows, news)
            self._paid[paid], self._value[paid] = True, rewards
        return news

    def advance(self, actions: IntArray, idle: NDArray[np.bool_] | None = None) -> Step:
        """Take one action in every episode.

        Args:
            actions: ``(n,)``, or ``(n, slots)`` where one chooses everything.
            idle: ``(n,)``, which episodes take none; None for none of them.
        """
        step = self._step(idle)
        if idle is not None and idle.all():
            return step
        self._settle(step, self.moves.advance(self.position, actions, idle))
        return step

    def glide(self, action: int) -> Moved | None:
        """Take one action in the only episode, quicker where nothing comes of it.

        Returns:
            None where the episode goes on and nothing was earned; else what :meth:`look_up` or
            :meth:`settle` take.
        """
        return self.moves.glide(self.position, action)

    def look_up(self, moved: Moved) -> tuple[float, dict[str, Any]] | None:
        """Reward and info of the only episode where a table knows how it ends.

        Returns:
            None where it has to be settled.
        """
        return None if moved.complete is None else self.rules.look_up(moved.rows)

    def settle(self, moved: Moved) -> Step:
        """Draw the consequences of :meth:`glide`."""
        step = self._step(None)
        self._settle(step, moved)
        return step

    def masks(self) -> Mask:
        """Masks of the allowed actions, ``(n, actions)``, a fresh array."""
        return self.moves.masks(self.position)

    def observe(self, masks: Mask) -> Observations:
        """Observations as fresh arrays; ``masks`` are those of :meth:`masks`."""
        shown = self.rules.goals.shown(self.goals) if self._has_goals else None
        return self.rules.observer.observe(self.position.cells, shown, masks)

    def value(self, number: int) -> float:
        """Reward of the architecture that an episode of edits is at."""
        return float(self._value[number])

    def shown(self, number: int) -> tuple[IntArray, int, str]:
        """An episode to draw: architecture, how many slots are chosen, the next one's choices."""
        rows, filled = self.moves.rows(self.position), self.moves.filled(self.position)
        return rows[number], int(filled[number]), self.moves.words(self.position, number)

    def get_state(self) -> dict[str, Any]:
        """A copy of all that changes."""
        return {name: copy.deepcopy(getattr(self, name)) for name in _STATE}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go back to what :meth:`get_state` gave; it can be used again."""
        for name in _STATE:
            setattr(self, name, copy.deepcopy(state[name]))

    # -- within ----------------------------------------------------------------------------

    def _step(self, idle: NDArray[np.bool_] | None) -> Step:
        """The result of a step as long as nothing has happened."""
        n = self.n
        step = Step(self.rules.reward.nothing(n), np.zeros(n, bool), np.zeros(n, bool), [])
        if self.rules.costly:
            self._no_cost(ALL if idle is None else np.flatnonzero(~idle), step.news)
        return step

    def _settle(self, step: Step, moved: Moved) -> None:
        """Draw the consequences of moves: the rules of when an episode ends."""
        if moved.refused is not None:
            step.terminated[moved.refused] = True
            self._unevaluated("invalid", moved.refused, step.news)
        if moved.complete is not None:
            if self.moves.ends:
                self._end(step, moved.complete, moved.rows)
            else:
                self._go_on(step, moved)

    def _end(self, step: Step, which: Which, rows: IntArray) -> None:
        """Evaluate what is complete; that ends the episode."""
        paid, rewards, _ = self._evaluate(which, rows, step.news)
        step.rewards[paid] = rewards
        if paid is not which:
            step.truncated[which] = True
            step.truncated[paid] = False
        step.terminated[paid] = True

    def _go_on(self, step: Step, moved: Moved) -> None:
        """Evaluate changes; the reward is what they gained."""
        which = np.arange(self.n)[ALL if moved.complete is None else moved.complete]
        rows = moved.rows
        step.truncated[which] = True
        payable = self._paid[which]  # the budget had reached where they come from
        if np.count_nonzero(payable) < len(which):
            self._unevaluated("budget_spent", which[~payable], step.news)
            which, rows = which[payable], rows[payable]
            if not len(which):
                return
        paid, rewards, rows = self._evaluate(which, rows, step.news)
        step.truncated[paid] = False
        step.rewards[paid] = rewards - self._value[paid]
        self._value[paid] = rewards
        self.moves.accept(self.position, paid, rows)

    def _evaluate(
        self, which: Which, rows: IntArray, news: News
    ) -> tuple[Which, NDArray[Any], IntArray]:
        """Evaluate, and tell the news; those that could be paid for, their rewards and rows."""
        rules = self.rules
        goals = self.goals[which]
        if self._has_goals and isinstance(which, slice):
            goals = goals.copy()  # infos hold it, and they are the user's
        outcome = rules.outcome(rows, goals)
        columns = rules.info(rows, goals, outcome)
        rewards = rules.reward.of(rows, outcome)
        if outcome.evaluated is not None:
            paid, numbers = outcome.evaluated, np.arange(self.n)[which]
            self._unevaluated("budget_spent", numbers[~paid], news)
            which, rewards, rows = numbers[paid], rewards[paid], rows[paid]
            columns = {key: values[paid] for key, values in columns.items()}
        if len(rows):
            news.append((which, columns))
        return which, rewards, rows

    def _unevaluated(self, key: str, which: IntArray, news: News) -> None:
        """Episodes that end without an evaluation say why, and have NaN for its numbers.

        Args:
            key: the reason.
            which: numbers of the episodes.
            news: what to add to.
        """
        if len(which):
            reason = {key: np.ones(len(which), dtype=bool)}
            unknown = {name: np.full(len(which), np.nan) for name in self.rules.numbers}
            news.append((which, {**reason, **unknown}))

    def _no_cost(self, which: Which, news: News) -> None:
        """A constraint has a cost at every step."""
        if self.rules.costly:
            news.append((which, {"cost": np.zeros(len(self.goals[which]))}))

    def _draws(self, which: Which) -> FloatArray:
        """Uniform numbers of the episodes that begin, ``(1 + drawn, k)``; goals have the first."""
        assert self.seeds is not None
        return draws(self.seeds[which], self.numbers[which], 1 + self.moves.drawn).T


_STATE = ("position", "goals", "seeds", "numbers", "_value", "_paid")
