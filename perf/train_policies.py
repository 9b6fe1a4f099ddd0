"""Trains the embedded policies, judges them against the exact answers, and writes their folders.

    python perf/train_policies.py latency-goal
    python perf/train_policies.py device-conditioned
    python perf/train_policies.py device-conditioned --split leave-out-x86-ncnn-1t

Goal-conditioned imitation in hindsight: an update asks for a batch of targets (and devices), plays
episodes for some of them, and imitates for every question the best of all architectures that
episodes have met so far. Devices are those of training, and made-up ones between them: mixtures of
their latencies with costs of operations of their own, so that the policy reads a device from its
probes. Seeds are fixed. A training that is stopped goes on where it was kept.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from judge_policies import (  # type: ignore[import-not-found]  # stands beside this script
    CELLS,
    DATA,
    completed,
    shown,
)
from numpy.typing import NDArray
from torch import nn

import blox_env
from blox_env.envs.episode.goals import probe_architectures
from blox_env.ground import defaults
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.policies import write_policy
from blox_env.policies.goals import Goal, Place, Probes
from blox_env.transfer import PREFIX, PROBES, load_split

KEEP = Path("runs/policies")
REWARD = "constraint"
HIDDEN, CRITIC = (128, 128), (64, 64)
KNOTS = 64  # of the target's place
BEYOND = 1.02  # the range ends there, in latencies of the most accurate network
GAP = 0.1  # of the distance of held-out targets: what is left out on either side of each
UPDATES = {"latency-goal": 6_000, "device-conditioned": 7_000}
QUESTIONS, EPISODES, ROUNDS = 256, 256, 64  # a batch; episodes for the first ROUNDS of it
UNSEEN = ("ethos-u55-128", "ethos-u65-256")  # no other device helped to predict these
REAL = 0.4  # share of questions about a device as it is
COSTS, SINGLE = 0.1, 0.004  # spread of a made-up device's costs of operations, and of single blocks
MARGIN = 0.1  # what is slower by that than a more accurate one, on every device, is never a label
RANDOM, WHOLE = 0.15, 0.5  # of the choices of episodes, and of whole episodes, falling to 0
KEEP_EVERY = 250


@dataclass
class Batch:
    """Questions of one update, ``n`` of them.

    Attributes:
        columns: as environments show them, ``(n, k)``.
        log_target: logarithms of the targets, ``(n,)``.
        log_unit: of what latencies are counted in.
        mix: weights of the devices, ``(n, devices)``.
        costs: what blocks add to logarithms of latencies, ``(n, slots, options)``.
    """

    columns: NDArray[np.float32]
    log_target: FloatArray
    log_unit: FloatArray
    mix: FloatArray
    costs: FloatArray


class Questions:
    """Draws questions, and knows accuracy and latency of every architecture.

    Args:
        name: of the policy.
        devices: of training.
    """

    def __init__(self, name: str, devices: list[str]) -> None:
        self.space = blox_env.BloxSpace()
        self.rows = self.space.all()
        benchmark = blox_env.load_benchmark(defaults.BENCHMARK)
        self.val_acc = benchmark.evaluate(self.rows).val_acc
        boards = [blox_env.load_device(device) for device in devices]
        self.latency = np.log([board.latency_ms(self.rows) for board in boards])
        self.tables = sha256(self.val_acc.tobytes() + self.latency.tobytes()).hexdigest()
        self.alone = name == "latency-goal"
        order = np.argsort(-self.val_acc, kind="stable")
        self.useful = self._useful(order, 0.0 if self.alone else MARGIN)  # most accurate first
        self.low = float(np.exp(self.latency[0].min()))
        self.high = BEYOND * float(np.exp(self.latency[0, order[0]]))
        self.goal: Goal = Place(self.low, self.high, KNOTS)
        self.probes = probe_architectures(self.space, PROBES)
        if not self.alone:
            self.goal = Probes(self.probes, 4.0)
        blocks = np.repeat(np.arange(45)[:, None], 3, axis=1)
        counts = self.space.features(blocks, "depth")[:, -3:]  # operations of each kind
        self.counts = (counts - counts.mean(axis=0)) / counts.mean()

    def _useful(self, order: IntArray, margin: float) -> IntArray:
        """Architectures that may be the best for a target: no more accurate one is faster by it."""
        best = np.empty((0, len(self.latency)))
        kept = []
        for number in order:
            own = self.latency[:, number]
            if not (best <= own - margin).all(axis=1).any():
                kept.append(number)
                best = np.vstack([best, own])
        return np.array(kept)

    def draw(self, rng: np.random.Generator, n: int) -> Batch:
        """Questions that are not held out, ``n`` of them."""
        if self.alone:
            cell = rng.integers(CELLS, size=n) + 0.5
            off = rng.choice([-1, 1], size=n) * rng.uniform(GAP, 0.5, size=n)
            target = self.low + (self.high - self.low) * (cell + off) / CELLS
            shown = self.goal.shown(target, None)
            nothing = np.zeros((n, 3, 45))
            return Batch(shown, np.log(target), np.zeros(n), np.ones((n, 1)), nothing)
        count = len(self.latency)
        real = rng.random(n) < REAL
        mix = rng.dirichlet(np.full(count, 0.25), n)
        beyond = 0.5 * rng.random((n, 1)) * (rng.random((n, 1)) < 0.5)
        mix += beyond * (np.eye(count)[rng.integers(count, size=n)]
                         - np.eye(count)[rng.integers(count, size=n)])  # fmt: skip
        mix[real] = np.eye(count)[rng.integers(count, size=int(real.sum()))]
        spread = rng.uniform(0, 1.5 * COSTS, (n, 1, 1))
        each = rng.normal(size=(n, 1, 3)) * spread + rng.normal(size=(n, 3, 3)) * spread / 2
        costs = each @ self.counts.T + rng.normal(0, SINGLE, (n, 3, 45))
        costs[real] = 0
        made = Batch(np.empty((n, 0), np.float32), np.zeros(n), np.zeros(n), mix, costs)
        shape = self.of(made, self.useful)
        fastest, accurate = np.exp(shape.min(axis=1)), np.exp(shape[:, 0])
        place = rng.uniform(-0.05, 1.1, n)
        target = np.maximum(fastest + place * (accurate - fastest), 0.97 * fastest)
        numbers = self.space.index(self.probes)
        made.columns = self.goal.shown(target, np.exp(self.of(made, numbers)))
        made.log_target = made.log_unit = np.log(target)
        return made

    def of(self, batch: Batch, numbers: IntArray) -> FloatArray:
        """Logarithms of the latencies of architectures on each device, ``(n, m)``."""
        rows = self.rows[numbers]
        found = batch.mix @ self.latency[:, numbers]
        for slot in range(3):
            found += batch.costs[:, slot][:, rows[:, slot]]
        return np.asarray(found)

    def of_each(self, batch: Batch, numbers: IntArray) -> FloatArray:
        """The same of one architecture a device, ``(n,)``."""
        rows, every = self.rows[numbers], np.arange(len(numbers))
        found = (batch.mix * self.latency[:, numbers].T).sum(axis=1)
        return np.asarray(found + sum(batch.costs[every, s, rows[:, s]] for s in range(3)))


def network(sizes: tuple[int, ...]) -> nn.Sequential:
    """Rectified layers, the last one linear."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Training:
    """Networks, optimiser, what was met, and the one generator.

    Args:
        questions: where questions come from.
        updates: length of the training.
        seed: of everything.
    """

    def __init__(self, questions: Questions, updates: int, seed: int) -> None:
        self.questions, self.updates, self.done, self.seconds = questions, updates, 0, 0.0
        self.rng = np.random.default_rng(seed)
        inputs = 135 + questions.goal.features
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.actor = network((inputs, *HIDDEN, 45))
            self.critic = network((inputs, *CRITIC, 2))
        self.both = [*self.actor.parameters(), *self.critic.parameters()]
        self.optimiser = torch.optim.Adam(self.both, lr=2e-3)
        self.met = np.zeros(len(questions.rows), dtype=bool)
        acc = questions.val_acc
        self.scale = [float(acc.std()), 0.25]
        self.shift = [float(acc.mean()), float(questions.alone and np.median(questions.latency))]

    def update(self) -> tuple[float, float]:
        """One step of both networks; the losses."""
        share = self.done / self.updates
        for group in self.optimiser.param_groups:
            group["lr"] = 2e-3 * max(0.01, 1 - share)
        asked = self.questions.draw(self.rng, QUESTIONS)
        goal = torch.as_tensor(self.questions.goal.inputs(asked.columns))
        played = self.play(goal[:ROUNDS], max(0.0, 1 - 1.5 * share))
        self.met[self.questions.space.index(played)] = True
        labels = self.best(asked)
        inputs = torch.cat([torch.zeros(QUESTIONS, 135), goal], dim=1)
        loss = torch.zeros(())
        for slot in range(3):
            own = torch.as_tensor(labels[:, slot])
            loss = loss + nn.functional.cross_entropy(self.actor(inputs), own)
            inputs = inputs.clone()
            inputs[torch.arange(QUESTIONS), 45 * slot + own] = 1
        told = self.told(asked, self.questions.space.index(labels))
        off = ((self.critic(inputs) - told) ** 2).mean()
        self.optimiser.zero_grad()
        (loss + off).backward()
        nn.utils.clip_grad_norm_(self.both, 1.0)
        self.optimiser.step()
        self.done += 1
        return float(loss.detach()), float(off.detach())

    def play(self, goal: torch.Tensor, curious: float) -> IntArray:
        """Episodes: architectures that the policy draws, ``(EPISODES, slots)``.

        Args:
            goal: inputs of some questions, each asked equally often.
            curious: how much of :data:`RANDOM` and :data:`WHOLE` there is.
        """
        chance = np.where(self.rng.random(EPISODES) < WHOLE * curious, 1.0, RANDOM * curious)
        seen = torch.zeros(EPISODES, 135 + goal.shape[1])
        seen[:, 135:] = goal.repeat(EPISODES // len(goal), 1)
        rows = np.empty((EPISODES, 3), dtype=np.int64)
        for slot in range(3):
            with torch.no_grad():
                odds = self.actor(seen).numpy()
            chosen = (odds + self.rng.gumbel(size=odds.shape)).argmax(axis=1)
            other = self.rng.integers(45, size=EPISODES)
            rows[:, slot] = np.where(self.rng.random(EPISODES) < chance, other, chosen)
            seen[torch.arange(EPISODES), 45 * slot + torch.as_tensor(rows[:, slot])] = 1
        return rows

    def best(self, asked: Batch) -> IntArray:
        """The most accurate met so far within each target, else the fastest, ``(n, slots)``."""
        useful = self.questions.useful
        there = self.met[useful]
        if not there.any():
            there = np.ones(len(useful), dtype=bool)
        latency = self.questions.of(asked, useful)
        within = (latency <= asked.log_target[:, None]) & there
        fastest = np.where(there, latency, np.inf).argmin(axis=1)
        picked = np.where(within.any(axis=1), within.argmax(axis=1), fastest)
        rows: IntArray = self.questions.rows[useful[picked]]
        return rows

    def told(self, asked: Batch, numbers: IntArray) -> torch.Tensor:
        """What the critic should say of architectures, ``(n, 2)``."""
        latency = self.questions.of_each(asked, numbers) - asked.log_unit
        both = np.column_stack([self.questions.val_acc[numbers], latency])
        return torch.as_tensor((both - self.shift) / self.scale, dtype=torch.float32)

    def weights(self) -> dict[str, NDArray[Any]]:
        """Arrays of the file."""
        found = {}
        for part, net in (("actor", self.actor), ("critic", self.critic)):
            for at, layer in enumerate(each for each in net if isinstance(each, nn.Linear)):
                found[f"{part}{at}.weight"] = layer.weight.detach().numpy().T
                found[f"{part}{at}.bias"] = layer.bias.detach().numpy()
        return found

    def run(self, path: Path) -> None:
        """Train to the end, and keep what is there now and then.

        Args:
            path: where it is kept.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            self.take(torch.load(path, weights_only=True))
        while self.done < self.updates:
            start = time.process_time()
            for _ in range(min(KEEP_EVERY, self.updates - self.done)):
                losses = self.update()
            self.seconds += time.process_time() - start
            torch.save(self.state(), path.with_suffix(".new"))
            path.with_suffix(".new").replace(path)
            line = f"{self.done:6} loss {losses[0]:.3f}, {losses[1]:.4f}; met {self.met.sum():,}"
            print(line, flush=True)

    def state(self) -> dict[str, Any]:
        """All that changes."""
        parts = self.actor.state_dict(), self.critic.state_dict(), self.optimiser.state_dict()
        rng = json.dumps(self.rng.bit_generator.state)
        return {
            "parts": parts, "rng": rng, "met": torch.as_tensor(self.met), "done": self.done,
            "seconds": self.seconds, "updates": self.updates, "tables": self.questions.tables,
        }  # fmt: skip

    def take(self, state: dict[str, Any]) -> None:
        """Go on from there, if it is of a training of this length on the same tables."""
        if (state["updates"], state["tables"]) != (self.updates, self.questions.tables):
            return
        actor, critic, optimiser = state["parts"]
        self.actor.load_state_dict(actor)
        self.critic.load_state_dict(critic)
        self.optimiser.load_state_dict(optimiser)
        self.rng.bit_generator.state = json.loads(state["rng"])
        self.met, self.done = state["met"].numpy(), state["done"]
        self.seconds = state["seconds"]


def described(name: str, questions: Questions, devices: list[str]) -> dict[str, Any]:
    """The part of the card that says what the policy is.

    Args:
        name: of the policy.
        questions: of its training.
        devices: of its training.
    """
    env = {"benchmark": defaults.BENCHMARK, "reward": REWARD, "observation": "onehot"}
    if questions.alone:
        words = (
            f"Proposes the most accurate network within a latency target on {devices[0]}, the "
            "default device."
        )
        env_all: dict[str, Any] = {
            **env, "device": devices[0], "goal": "latency_target",
            "goals": [questions.low, questions.high],
        }  # fmt: skip
        goal: dict[str, Any] = {
            "kind": "latency_target", "low_ms": questions.low, "high_ms": questions.high,
            "knots": KNOTS,
        }  # fmt: skip
    else:
        words = (
            "Proposes the most accurate network within a latency target on a device that it may "
            f"never have met, told by the latencies of {PROBES} reference networks on it."
        )
        env_all = {**env, "goal": "device", "goal_probes": PROBES}
        goal = {"kind": "device", "probes": PROBES, "scale": 4.0}
    return {
        "name": name, "description": words, "space": "blox", "environment": env_all, "goal": goal,
        "network": {"actor": list(HIDDEN), "critic": list(CRITIC)},
    }  # fmt: skip


def trained(training: Training, name: str, seed: int, left_out: str) -> dict[str, Any]:
    """The part of the card about the training.

    Args:
        training: that has ended.
        name: of the policy.
        seed: of it.
        left_out: what it never saw, in words.
    """
    return {
        "command": f"python perf/train_policies.py {name}", "seed": seed,
        "updates": training.updates, "questions": QUESTIONS, "episodes": EPISODES,
        "steps": training.updates * EPISODES * 3, "architectures": int(training.met.sum()),
        "processor_s": training.seconds, "torch": torch.__version__, "left_out": left_out,
        "method": "goal-conditioned imitation in hindsight of the best architecture that episodes "
        "have met, for every question of a batch;",
    }  # fmt: skip


def main() -> None:
    """Train, write, judge, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=("latency-goal", "device-conditioned"))
    parser.add_argument("--updates", type=int, default=0, help="if others than by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", help=f"train and judge on a split, such as {PREFIX}x86-ncnn-1t")
    parser.add_argument("--out", type=Path, help="folder of policies, the package's if not given")
    given = parser.parse_args()
    updates = given.updates or UPDATES[given.name]
    torch.set_num_threads(1)
    every = blox_env.list_devices("blox")
    unseen = [] if given.name == "latency-goal" else list(UNSEEN)
    seen = [defaults.DEVICE] if not unseen else [name for name in every if name not in unseen]
    left_out = f"{CELLS} gaps of the range, a tenth of their distance on either side of each"
    if unseen:
        left_out = f"the devices {', '.join(unseen)}"
    kept = KEEP / f"{given.name}-{updates}-{given.seed}.pt"
    if given.split:
        split = load_split(given.split)
        seen, unseen = [str(name) for name in split.train], [str(split.test)]
        left_out = f"the device {unseen[0]}, and those that helped to predict it or it to predict"
        kept = kept.with_stem(f"{kept.stem}-{given.split}")
    questions = Questions(given.name, seen)
    training = Training(questions, updates, given.seed)
    training.run(kept)
    card = described(given.name, questions, seen)
    card["training"] = trained(training, given.name, given.seed, left_out)
    card["expects"] = {"scale": training.scale, "shift": training.shift}
    out = given.out or (KEEP / given.split if given.split else DATA)
    folder = write_policy(out / given.name, card, training.weights())
    print(shown(completed(folder, [*unseen, *seen], seen)))


if __name__ == "__main__":
    main()
