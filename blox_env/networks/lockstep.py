"""Many different Blox networks as one: they train in lockstep, each on its own pictures.

A small network leaves a GPU idle: its layers are hundreds of tiny kernels. Here all networks stand
side by side, ``(networks, pixels, channels)``. Wherever a block has an operation, the networks that
have the same kind there go through it together; the connections of each block are bits of its
network. Nothing flows from one network to another, so each trains as it would alone
(:class:`~blox_env.networks.run.Run`). The backward pass is written out: every part of the forward
pass returns what it did and the function that takes gradients back through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from blox_env.networks.initial import new_network
from blox_env.networks.layers import Layer, Nets
from blox_env.networks.recipe import Recipe
from blox_env.networks.run import (
    DeviceTask,
    Plan,
    bias_corrections,
    descend,
    learning_rates,
)
from blox_env.networks.sidebyside import Networks, new_engine
from blox_env.spaces.blox import STAGES, Block, BloxSpace

STEM_CHANNELS = 8  # pictures are filled up to so many channels, for aligned memory


@dataclass(frozen=True)
class _Draft:
    """A layer whose parameters have no place yet."""

    number: int


class Lockstep(Networks):
    """Networks in training, side by side.

    Args:
        trainings: ``(row, seed)`` of each.
        data: the task on the device.
        recipe: how to train all of them.
        engine: ``"fused"`` (Triton), ``"plain"`` (torch), or None: fused on a GPU.

    Attributes:
        per_epoch: steps of an epoch.
        steps: of the whole training.
        correct: right answers ``(epochs + 1, networks)``, the last row on the test pictures.
    """

    def __init__(
        self,
        trainings: Sequence[tuple[Sequence[int], int]],
        data: DeviceTask,
        recipe: Recipe,
        engine: str | None = None,
    ) -> None:
        self.data, self.recipe, self.networks = data, recipe, len(trainings)
        self.training = True
        device = data.device
        self.engine = new_engine(engine, self.networks, device, data.task.width)
        blocks = [[BloxSpace.blocks[b] for b in row] for row, _ in trainings]
        modules: list[list[Any]] = []
        plans = []
        for row, seed in trainings:
            generator = torch.Generator().manual_seed(seed)
            network = new_network(row, data.task, generator, recipe.branch_gain)
            modules.append(list(network.children()))
            plans.append(Plan.draw(data.task, recipe, data.border, generator))
        self._entries: list[tuple[Tensor, tuple[bool, int], float]] = []
        self._owners: list[Tensor] = []
        self._drafts: list[tuple[Any, ...]] = []
        everybody = list(range(self.networks))
        self._identity = torch.arange(self.networks, device=device)
        self._zeros = torch.zeros_like(self._identity)
        self._side = data.task.image_size
        stem = self._layer([m[0] for m in modules], everybody, pad=STEM_CHANNELS)
        slots: list[list[list[tuple[Tensor, int, list[Any]]]]] = []
        self._bits: list[dict[str, Tensor]] = []
        reductions = []
        for stage in range(STAGES):
            here = [m[1 + 2 * stage] for m in modules]
            kinds = [[-1 if b[stage].single else b[stage].op1 for b in blocks]]
            kinds.append([b[stage].op2 for b in blocks])
            slots.append([])
            for slot, kind in enumerate(kinds):
                operations = []
                for operation in range(3):
                    members = [i for i in everybody if kind[i] == operation]
                    if members:
                        parts = [(here[i].op1, here[i].op2)[slot] for i in members]
                        chosen = torch.tensor(members, device=device)
                        operations.append(
                            (chosen, operation, self._operation(operation, parts, members))
                        )
                slots[-1].append(operations)
            bits = [_bits(b[stage]) for b in blocks]
            self._bits.append(
                {
                    name: torch.tensor([b[name] for b in bits], device=device).int()
                    for name in bits[0]
                }
            )
            halves = [m[2 + 2 * stage] for m in modules]
            reductions.append(
                [
                    self._layer([h.main[0] for h in halves], everybody, stride=2),
                    self._layer([h.main[1] for h in halves], everybody),
                    self._layer([h.project for h in halves], everybody, stride=2),
                ]
            )
        heads = [m[-1] for m in modules]
        head = (
            self._parameter([h.weight for h in heads], everybody, high=True, decay=True),
            self._parameter([h.bias for h in heads], everybody, high=True),
        )
        self._flatten()
        layers = self._bind()

        def resolve(thing: Any) -> Any:
            if isinstance(thing, _Draft):
                return layers[thing.number]
            if isinstance(thing, list):
                return [resolve(part) for part in thing]
            if isinstance(thing, tuple):
                return tuple(resolve(part) for part in thing)
            return thing

        self._stem: Layer = resolve(stem)
        self._slots: list[list[list[tuple[Tensor, int, list[Any]]]]] = resolve(slots)
        self._reductions: list[list[Layer]] = resolve(reductions)
        self._head = head
        self._start, self._sign, self._labels = (
            torch.stack([getattr(p, name) for p in plans], dim=1).to(device)
            for name in ("start", "sign", "labels")
        )  # (steps, networks, batch)
        self.per_epoch, self.steps = plans[0].per_epoch, len(plans[0].start)
        self._rates = learning_rates(recipe, self.steps).to(device)
        if recipe.optimizer == "adamw":
            self._corrections = bias_corrections(recipe, self.steps).to(device)
        self._step = torch.zeros(1, dtype=torch.int64, device=device)
        shape = (recipe.epochs + 1, self.networks)
        self.correct = torch.zeros(shape, dtype=torch.int64, device=device)

    # -- construction ----------------------------------------------------------------------

    def _parameter(
        self,
        parts: list[Tensor],
        members: list[int],
        *,
        high: bool = False,
        decay: bool = False,
        depthwise: bool = False,
    ) -> int:
        """Stack a parameter of several networks; its number."""
        parts = [part.detach().transpose(0, 1) if depthwise else part.detach() for part in parts]
        whole = torch.stack([_in_order(part) for part in parts])
        # depthwise weights come last, the smallest at the end: so the others are aligned
        order = (high, whole.shape[1] if depthwise else 0)
        self._entries.append((whole, order, self.recipe.weight_decay * decay))
        self._owners.append(torch.tensor(members).repeat_interleave(whole[0].numel()))
        return len(self._entries) - 1

    def _layer(
        self, parts: list[Any], members: list[int], *, stride: int = 1, pad: int = 0
    ) -> _Draft:
        """Convolution and batch norm of several networks."""
        convolutions, norms = [p[0] for p in parts], [p[1] for p in parts]
        weights = [c.weight for c in convolutions]
        if pad:
            weights = [functional.pad(w, (0, 0, 0, 0, 0, pad - w.shape[1])) for w in weights]
        c_out, c_in, kernel, _ = weights[0].shape
        # one channel alone is not a depthwise convolution, but the same thing
        depthwise = convolutions[0].groups > 1
        c_in = c_out if depthwise else c_in
        self._drafts.append(
            (
                len(members), kernel, stride, c_in, c_out, depthwise,
                self._parameter(weights, members, decay=True, depthwise=depthwise),
                self._parameter([n.weight for n in norms], members, high=True),
                self._parameter([n.bias for n in norms], members, high=True),
            )
        )  # fmt: skip
        return _Draft(len(self._drafts) - 1)

    def _operation(self, kind: int, parts: list[Any], members: list[int]) -> list[Any]:
        """Branches of an operation: layers, for squeeze-excitation with its parameters."""
        if kind == 0:
            return [[self._layer([p[i] for p in parts], members) for i in range(4)]]
        branches: list[Any] = []
        for i in range(len(parts[0].branches)):
            here = [p.branches[i] for p in parts]
            if kind == 2:
                branches.append([self._layer([b[j] for b in here], members) for j in range(3)])
                continue
            gates = [b[1].gate for b in here]
            squeeze = tuple(
                self._parameter([getattr(g[j], name) for g in gates], members, high=True,
                                decay=name == "weight")
                for j in (1, 3) for name in ("weight", "bias")
            )  # fmt: skip
            first, last = (self._layer([b[j] for b in here], members) for j in (0, 2))
            branches.append((first, squeeze, last))
        return branches

    def _flatten(self) -> None:
        """Lay all parameters into one vector, those that compute in the pictures' type first."""
        device = self.data.device
        order = sorted(range(len(self._entries)), key=lambda i: _place(self._entries[i][1]))
        pieces = [self._entries[i][0].flatten().float() for i in order]
        flat = torch.cat(pieces).to(device)
        self._flat, self._moment = flat, torch.zeros_like(flat)
        self._second = torch.zeros_like(flat) if self.recipe.optimizer == "adamw" else None
        decays = [
            torch.full((len(p),), self._entries[i][2]) for i, p in zip(order, pieces, strict=True)
        ]
        self._decay = torch.cat(decays).to(device)
        same = self.data.number == torch.float32
        self._lows = 0 if same else sum(
            len(p) for i, p in zip(order, pieces, strict=True) if not self._entries[i][1][0]
        )  # fmt: skip
        self._low = flat[: self._lows].to(self.data.number)
        sums = sum(2 * d[0] * d[4] for d in self._drafts)
        # gradients, a zero, padding, sums of batch norm: all are zeroed at once
        aligned = -(-(len(flat) + 1) // 8) * 8
        self._scratch = torch.zeros(aligned + sums, device=device)
        self._gradient = self._scratch[: len(flat) + 1]
        self._sums = self._scratch[aligned:]
        self._values: list[Tensor] = [flat] * len(order)
        self._gradients: list[Tensor] = [flat] * len(order)
        start = 0
        for i, piece in zip(order, pieces, strict=True):
            end, shape = start + len(piece), self._entries[i][0].shape
            source = self._low if start < self._lows else flat
            self._values[i] = source[start:end].view(shape)
            self._gradients[i] = self._gradient[start:end].view(shape)
            start = end
        owner = torch.cat([self._owners[i] for i in order])
        self._owner = owner.to(device)
        counts = torch.bincount(owner, minlength=self.networks)
        by_owner = torch.argsort(owner, stable=True)
        table = torch.full((self.networks, int(counts.max())), len(owner))
        for network, part in enumerate(by_owner.split(counts.tolist())):
            table[network, : len(part)] = part
        self._elements = table.to(device)
        self._entries, self._owners = [], []

    def _bind(self) -> list[Layer]:
        """Layers with their parameters, now that these have a place."""
        device, channels = self.data.device, len(self._sums) // 2
        self._running = torch.stack([torch.zeros(channels), torch.ones(channels)]).to(device)
        layers, start = [], 0
        for *shape, weight, scale, shift in self._drafts:
            networks, c_out = shape[0], shape[4]
            end = start + networks * c_out
            layers.append(
                Layer(  # type: ignore[call-arg]  # starred arguments are not counted
                    *shape,
                    *(self._values[i] for i in (weight, scale, shift)),
                    *(self._gradients[i] for i in (weight, scale, shift)),
                    self._sums[2 * start : 2 * end].view(networks, 2, c_out),
                    *self._running[:, start:end].view(2, networks, c_out).unbind(),
                )
            )
            start = end
        self._drafts = []
        return layers

    # -- training --------------------------------------------------------------------------

    @torch.no_grad()
    def step(self) -> None:
        """Train every network on its next batch."""
        data, number = self.data, self._step
        self._scratch.zero_()
        start, sign, labels = (
            plan.index_select(0, number)[0] for plan in (self._start, self._sign, self._labels)
        )
        shape = (data.task.in_channels, data.task.image_size, STEM_CHANNELS)
        images = self.engine.pictures(data.padded, start, sign, data.border, shape)
        features, back = self.forward(Nets(images, self._identity))
        leaves = [t.detach().requires_grad_() for t in (features, *self._head_values())]
        with torch.enable_grad():
            loss = (
                functional.cross_entropy(
                    self._logits(*leaves).flatten(0, 1),
                    labels.reshape(-1),
                    label_smoothing=self.recipe.label_smoothing,
                    reduction="sum",
                )
                / labels.shape[1]
            )
            gradients = torch.autograd.grad(loss, leaves)
        for number_of, gradient in zip(self._head, gradients[1:], strict=True):
            self._gradients[number_of].copy_(gradient)
        back(gradients[0])
        self._descend()

    def _descend(self) -> None:
        """Clip the gradient of each network and update all parameters."""
        inner = self._gradient[:-1]
        norm = self._gradient[self._elements].square_().sum(1).sqrt_()
        scale = (self.recipe.clip / (norm + 1e-6)).clamp(max=1)
        inner.mul_(scale[self._owner])
        self._update(inner, self._rates.index_select(0, self._step))
        if self._lows:
            self._low.copy_(self._flat[: self._lows])
        self._step.add_(1)

    def _update(self, gradient: Tensor, rate: Tensor) -> None:
        correction = None
        if self._second is not None:
            correction = self._corrections.index_select(0, self._step)[0]
        state = (self._flat, self._moment, self._second)
        descend(state, gradient, self._decay, rate, self.recipe.momentum, correction)

    @torch.no_grad()
    def evaluate(self, place: int, pictures: tuple[Tensor, Tensor], batch: int) -> None:
        """Count right answers into ``correct[place]``, with batch norm in evaluation mode.

        Args:
            place: row of the counts.
            pictures: with labels, as a task on a device has them.
            batch: pictures at once.
        """
        self.training = False
        images, labels = pictures
        for part, truth in zip(images.split(batch), labels.split(batch), strict=True):
            small = functional.pad(part.permute(0, 2, 3, 1), (0, STEM_CHANNELS - part.shape[1]))
            small = small.reshape(1, -1, STEM_CHANNELS)
            features, _ = self.forward(Nets(small.contiguous(), self._zeros))
            answers = self._logits(features, *self._head_values()).argmax(2)
            self.correct[place] += (answers == truth).sum(1)
        self.training = True

    def _head_values(self) -> list[Tensor]:
        return [self._values[i] for i in self._head]

    def _logits(self, features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Logits ``(networks, b, classes)``."""
        weight = weight.view(self.networks, -1, features.shape[2])
        return torch.baddbmm(bias[:, None], features, weight.transpose(1, 2))

    def state(self) -> list[Tensor]:
        """Copies of all that a step changes."""
        return [tensor.clone() for tensor in self._changing()]

    def restore(self, state: list[Tensor]) -> None:
        """Take back every change since :meth:`state`."""
        for tensor, saved in zip(self._changing(), state, strict=True):
            tensor.copy_(saved)

    def _changing(self) -> list[Tensor]:
        second = [] if self._second is None else [self._second]
        return [self._flat, self._low, self._moment, *second, self._step, self._running]


def _place(order: tuple[bool, int]) -> tuple[bool, bool, int]:
    """Number types apart; depthwise weights, of so many numbers, from large to small at the end."""
    high, depthwise = order
    return high, depthwise > 0, -depthwise


def _in_order(tensor: Tensor) -> Tensor:
    return (tensor.permute(0, 2, 3, 1) if tensor.ndim == 4 else tensor).reshape(-1)


def _bits(block: Block) -> dict[str, bool]:
    """Parts of the input of a block's second operation, and of the block's output."""
    pair = not block.single
    source = pair and bool(block.prev)
    return {
        "one": True,
        "pair": pair,
        "plain": not source or bool(block.input),  # its input goes to the second operation
        "source": source,  # so do the results of the first
        "skip": pair and bool(block.skip),  # these are part of the output
    }
