"""Masks of allowed actions: those that make an architecture that is known and within limits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blox_env.devices.base import Device
from blox_env.envs.episode.decisions import Decisions
from blox_env.envs.episode.trie import Trie
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.bounds import Bounds, Part, Term
from blox_env.problem.candidates import Candidates
from blox_env.problem.constraints import Constraints
from blox_env.spaces.base import LISTABLE, SearchSpace

Mask = NDArray[np.int8]


class Masks:
    """Masks of the actions of every decision, int8, 1 for allowed.

    A choice is allowed when a completion of it is a candidate (known, and within the constraints)
    and can meet the latency budget. Exactly when one does, in spaces of up to 10^6 architectures,
    by a table, and in larger ones where candidates are listed, by a trie. Else by
    :mod:`~blox_env.problem.bounds` of what is limited: exactly for sizes, and for latencies when
    the lower bound of :meth:`~blox_env.devices.base.Device.slot_bounds_ms` meets the limit.

    Args:
        decisions: what is decided.
        device: where the latency is from; needed for a budget.
        budget_ms: hard limit of the latency, None for none.
        candidates: what may be built, None for everything.
        constraints: limits that the candidates leave open, None for none.

    Attributes:
        limited: whether anything but the decisions limits what is allowed.

    Raises:
        ValueError: for a budget without a device, one that nothing meets, or one for a space too
            large to list on a device that has no bounds; likewise for constraints.
    """

    def __init__(
        self,
        decisions: Decisions,
        device: Device | None = None,
        budget_ms: float | None = None,
        candidates: Candidates | None = None,
        constraints: Constraints | None = None,
    ) -> None:
        self.decisions = decisions
        self.device = device
        self.budget_ms = None if budget_ms is None else _check_budget(budget_ms, device)
        space = decisions.space
        self.candidates = Candidates(space) if candidates is None else candidates
        self.constraints = constraints
        self.limited = (
            budget_ms is not None or not self.candidates.complete or bool(self.constraints)
        )
        self._trie: Trie | None = None
        self._bounds: Bounds | None = None
        self.whole = np.ones(sum(space.options), dtype=np.int8)
        """Options of each slot that occur in any architecture within the budget, concatenated.

        Whether options meet it together cannot be seen from masks of one slot each.
        """
        if not self.limited:
            self._tables = [step.allowed.astype(np.int8) for step in decisions.steps]
            return
        if space.size <= LISTABLE:
            fits = np.zeros(space.size, dtype=bool)
            fits[space.index(self._within_budget())] = True
            fits = fits.reshape(space.options)
            self._strides = np.cumprod((1, *space.options[:0:-1]))[::-1]
            self._tables = [_reachable(decisions, number, fits) for number in range(len(decisions))]
            axes = set(range(space.slots))
            occur = [fits.any(axis=tuple(axes - {slot})) for slot in sorted(axes)]
            self.whole = np.concatenate(occur).astype(np.int8)
            return
        self._after = [  # as numbers, since counting is a product of matrices
            _options_after(decisions, number).astype(np.float32) for number in range(len(decisions))
        ]
        if not self.candidates.complete:
            self._trie = Trie(self._within_budget(), space.options)
            occur = [self._trie.occurring(slot) for slot in range(space.slots)]
            self.whole = np.concatenate(occur).astype(np.int8)
            return
        terms = constraints.terms() if constraints else []
        if self.budget_ms is not None and device is not None:
            terms.append(_budget_term(self.budget_ms, device))
        self._bounds = Bounds(terms)
        self._bounds.check()
        occur = [self._bounds.occurring(slot) for slot in range(space.slots)]
        self.whole = np.concatenate(occur).astype(np.int8)

    @property
    def bounded(self) -> bool:
        """True if the masks come from bounds that are not exact, and may allow too much."""
        return self._bounds is not None and not self._bounds.exact

    @property
    def worked_out(self) -> bool:
        """True if there is no table of the masks, so that each is worked out when it is needed."""
        return self._bounds is not None or self._trie is not None

    def of(self, number: int, rows: IntArray, prefix: IntArray) -> Mask:
        """Masks of decision ``number``, read-only ``(n, actions)``.

        Args:
            number: which decision; the same for all.
            rows: architectures ``(n, slots)``, of which the slots before are chosen.
            prefix: choices within the slot so far ``(n,)``.
        """
        if self.worked_out:
            return self._at(number, rows, prefix)
        table = self._tables[number]
        if len(table) == 1:
            return np.broadcast_to(table, (len(rows), table.shape[1]))
        masks: Mask = np.take(table, self._place(number, rows, prefix), axis=0)
        return masks

    def one(self, number: int, row: IntArray, prefix: int) -> Mask:
        """The mask of decision ``number`` for a single architecture, read-only ``(actions,)``.

        Args:
            number: of the decision.
            row: options chosen so far, ``(slots,)``.
            prefix: number of the choices about the slot so far.
        """
        if self.worked_out:
            found: Mask = self._at(number, row[None], np.array([prefix]))[0]
            return found
        place = prefix
        if self.limited:
            place = int(self._place(number, row[None], prefix)[0])
        mask: Mask = self._tables[number][place]
        return mask

    def stacked(self) -> tuple[Mask, IntArray]:
        """The masks of all decisions under each other, ``(rows, actions)``, and their first rows.

        Within a decision they are in the order of the architectures of the slots before, where
        there is a budget, then of the choices within the slot.

        Raises:
            ValueError: where masks are worked out: there is no table of them.
        """
        if self.worked_out:
            raise ValueError("masks are worked out as they are needed, there is no table")
        ends = np.cumsum([len(table) for table in self._tables])
        return np.concatenate(self._tables), np.concatenate([[0], ends[:-1]])

    def feasible(self, rows: IntArray) -> NDArray[np.bool_]:
        """Mask of the complete architectures that are candidates and meet the budget, ``(n,)``."""
        fits = self.candidates.contains(rows)
        if self.budget_ms is not None and self.device is not None:
            fits[fits] = self._within(self.device.latency_ms(rows[fits]))
        if self.constraints:
            fits[fits] = self.constraints.within(rows[fits])
        return fits

    def refused(self) -> str:
        """Reason why an architecture is not feasible, for errors."""
        known = "" if self.candidates.complete else "is not among the candidates"
        budget = "" if self.budget_ms is None else f"exceeds latency_budget_ms={self.budget_ms}"
        limits = f"does not keep to {self.constraints}" if self.constraints else ""
        return " or ".join(filter(None, (budget, limits, known)))

    def smallest(self, slot: int) -> int:
        """The option of a slot that adds least by the bounds."""
        assert self._bounds is not None
        return self._bounds.smallest(slot)

    def _place(self, number: int, rows: IntArray, prefix: IntArray | int) -> IntArray:
        """Rows of the table of a decision: the slots before in C order, then the prefix."""
        step = self.decisions.steps[number]
        if not self.limited or step.slot == 0:
            return np.broadcast_to(prefix, (len(rows),))
        # strides count whole architectures; what follows the slots before is cut off
        before = rows[:, : step.slot] @ self._strides[: step.slot]
        before //= self._strides[step.slot - 1]
        place: IntArray = before * len(step.allowed) + prefix
        return place

    def _at(self, number: int, rows: IntArray, prefix: IntArray) -> Mask:
        """Masks of a decision, from the options of its slot that fit."""
        slot = self.decisions.steps[number].slot
        ahead = self._trie or self._bounds
        assert ahead is not None
        fits = ahead.ahead(slot, rows).astype(np.float32)
        masks = np.zeros((len(rows), self.decisions.actions), dtype=np.int8)
        for each in np.unique(prefix).tolist():  # the choices within a slot so far: few
            own = np.flatnonzero(prefix == each)
            masks[own] = fits[own] @ self._after[number][each].T > 0
        return masks

    def _within_budget(self) -> IntArray:
        """All candidates that meet the budget, ``(k, slots)``."""
        rows = self.candidates.all()
        if self.budget_ms is None or self.device is None:
            return rows
        latency = self.device.latency_ms(rows)
        self._refuse_impossible(float(latency.min()))
        return rows[self._within(latency)]

    def _within(self, latency: FloatArray) -> NDArray[np.bool_]:
        """Mask of the latencies that meet the budget; sums in another order may differ a little."""
        assert self.budget_ms is not None
        return np.asarray(latency <= self.budget_ms * (1 + 1e-9), dtype=bool)

    def _refuse_impossible(self, least: float) -> None:
        if not self._within(np.array(least)):
            raise ValueError(
                f"latency_budget_ms must be at least the {least:.4g} ms of the fastest "
                f"architecture, got {self.budget_ms}"
            )


def _check_budget(budget_ms: float, device: Device | None) -> float:
    if isinstance(budget_ms, bool) or not isinstance(budget_ms, int | float | np.number):
        raise TypeError(f"latency_budget_ms must be a number, got {budget_ms!r}")
    budget = float(budget_ms)
    if not (np.isfinite(budget) and budget > 0):
        raise ValueError(f"latency_budget_ms must be above 0, got {budget_ms!r}")
    if device is None:
        raise ValueError("latency_budget_ms needs a device, got device=None")
    return budget


def _budget_term(budget_ms: float, device: Device) -> Term:
    """A latency budget as what bounds take."""
    bounds = device.slot_bounds_ms()
    if bounds is None:
        raise ValueError(
            f"latency_budget_ms needs a space of at most {LISTABLE:,} architectures or a device"
            f" with slot_bounds_ms(), got {device.space!r} and device {device.name!r}"
        )
    part = Part(0.0, tuple(bounds), exact=False)
    return Term("latency_budget_ms", budget_ms, {"latency_ms": (1.0, part)})


def _options_after(decisions: Decisions, number: int) -> NDArray[np.bool_]:
    """Options a slot can still get: bool ``(prefixes before, actions, options)``."""
    step = decisions.steps[number]
    table = decisions.tables[step.slot]
    count = decisions.space.options[step.slot]
    before = len(step.allowed)
    rest = table.reshape(before, step.choices, -1)
    after = np.zeros((before, decisions.actions, count), dtype=bool)
    where = np.indices(rest.shape)
    made = rest >= 0
    after[where[0][made], where[1][made], rest[made]] = True
    return after


def _reachable(decisions: Decisions, number: int, fits: NDArray[np.bool_]) -> Mask:
    """Mask table of a decision: ``(slots before in C order · prefixes, actions)``."""
    space: SearchSpace = decisions.space
    slot = decisions.steps[number].slot
    ahead = fits.any(axis=tuple(range(slot + 1, space.slots)))  # of options of slots up to this
    possible = ahead.reshape(-1, space.options[slot])
    after = _options_after(decisions, number)
    # one architecture suffices: a product of counts above zero
    counts = possible.astype(np.int32) @ after.reshape(-1, after.shape[2]).T.astype(np.int32)
    return (counts > 0).reshape(-1, decisions.actions).astype(np.int8)
