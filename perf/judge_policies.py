"""Judges policies against the exact answers: the parts of their cards that are figures.

    python perf/judge_policies.py latency-goal [--out FOLDER]     # writes the cards anew

``perf/train_policies.py`` does the same at the end of a training. Random answers to the same
questions stand beside those of the policy: of one architecture a target, and the best of several.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.policies import Policy, judge_policy, load_policy, random_answers, write_policy
from blox_env.store.arrays import read_arrays

DATA = Path(blox_env.__file__).parent / "data" / "policies"
CELLS = 256  # held-out targets of a policy for one device
JUDGED = 200  # targets of a device
TRIES = (1, 10, 100, 1000)  # random architectures a target
CAREFUL = 0.03  # how much less a policy is asked for that meets unknown devices


def targets_of(policy: Policy, device: str) -> Any:
    """Targets to judge on, ``(n,)``: even from the fastest network to the most accurate one.

    For a policy of one device these are the middles of the cells around which training left a gap.

    Args:
        policy: to be judged.
        device: to judge it on.
    """
    if policy.reference is None:
        goal = policy.card["goal"]
        low, high, count = goal["low_ms"], goal["high_ms"], CELLS
    else:
        rows = policy.space.all()
        latency = blox_env.load_device(device).latency_ms(rows)
        data = blox_env.load_benchmark(policy.environment["benchmark"])
        low, high = latency.min(), latency[data.evaluate(rows).val_acc.argmax()]
        count = JUDGED
    return low + (high - low) * (np.arange(count) + 0.5) / count


def judged(policy: Policy, devices: list[str], seen: list[str]) -> dict[str, Any]:
    """The part of a card about answers, random ones beside them.

    Args:
        policy: to be judged.
        devices: to judge it on.
        seen: those of training.
    """
    entries, off = [], []
    data = blox_env.load_benchmark(policy.environment["benchmark"])
    for device in devices:
        targets = targets_of(policy, device)
        found = judge_policy(policy, targets, device=device)
        answers = [{"by": "policy", **found.summary()}]
        told: dict[str, Any] = {}
        if policy.reference is not None:
            told = {"device": device}
            found = judge_policy(policy, targets, device=device, margin=CAREFUL)
            answers.append({"by": f"policy, margin {CAREFUL:.0%}", **found.summary()})
        for tries in TRIES:
            rng = np.random.default_rng(0)
            found = random_answers(policy, targets, rng, tries=tries, device=device)
            who = "random" if tries == 1 else f"best of {tries:,}"
            answers.append({"by": who, **found.summary()})
        entries.append({"device": device, "trained_on": device in seen, "answers": answers})
        said = policy.propose(targets, **told)
        errors = np.abs(said.val_acc - data.evaluate(said.x).val_acc)
        relative = np.abs(said.latency_ms / blox_env.load_device(device).latency_ms(said.x) - 1)
        if policy.reference is None or device not in seen:
            off.append([errors.mean(), relative.mean()])
    val_acc, latency = np.mean(off, axis=0).tolist()
    of = "the device" if policy.reference is None else "the unseen devices"
    return {"judged": entries, "expected": {"val_acc": val_acc, "latency": latency, "of": of}}


def timed(policy: Policy, device: str, batch: int = 256, repeats: int = 300) -> dict[str, Any]:
    """The part of a card about how long answers take.

    Args:
        policy: that is asked.
        device: of the questions.
        batch: questions at once.
        repeats: of each.
    """
    told: dict[str, Any] = {}
    board = blox_env.load_device(device)
    if policy.reference is not None:
        told["reference_ms"] = board.latency_ms(policy.reference)
    target, found = board.median_ms(), []
    for n in (1, batch):
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            policy.propose(np.full(n, target), **told)
            times.append(time.perf_counter() - start)
        found.append(1e3 * statistics.median(times))
    cpu = "?"
    if (facts := Path("/proc/cpuinfo")).exists():
        lines = facts.read_text(encoding="utf-8").splitlines()
        cpu = next((line.partition(": ")[2] for line in lines if "model name" in line), cpu)
    return {"time": {
        "one_ms": found[0], "batch": batch, "batch_ms": found[1], "repeats": repeats,
        "machine": cpu or platform.machine(), "numpy": np.__version__,
    }}  # fmt: skip


def data_of(policy_card: dict[str, Any], devices: list[str]) -> dict[str, Any]:
    """Checksums of the tables that figures rest on.

    Args:
        policy_card: names the benchmark.
        devices: all that were judged.
    """
    benchmark = blox_env.load_benchmark(policy_card["environment"]["benchmark"])
    return {
        "benchmark": [benchmark.name, benchmark.checksum()],
        "devices": {name: blox_env.load_device(name).checksum() for name in devices},
    }


def completed(folder: Path, devices: list[str], seen: list[str]) -> Policy:
    """Judge the policy of a folder and write its cards anew.

    Args:
        folder: of the policy.
        devices: to judge it on.
        seen: those of training.
    """
    policy = load_policy(str(folder))
    card = {**policy.card, **judged(policy, devices, seen), **timed(policy, devices[0])}
    card["data"] = data_of(card, devices)
    card["protocol"] = (
        "Targets are even from the latency of the fastest network to that of the most accurate "
        "one. Devices that were not trained on come first; it knows their reference networks alone."
    )
    if policy.reference is None:
        card["protocol"] = (
            f"{CELLS} targets are even over the range. None of them was trained on, and none nearer"
            " to one than a tenth of their distance: a fifth of the range was left out."
        )
    write_policy(folder, card, read_arrays(folder / "weights.npz"))
    return load_policy(str(folder))


def shown(policy: Policy) -> str:
    """A line a device."""
    lines = [
        f"{entry['device']:22} {'' if entry['trained_on'] else 'unseen':7}{found['by']:20} exact "
        f"{found['exact']:6.1%} within {found['within']:6.1%} regret {found['mean_regret']:.4f}"
        for entry in policy.card["judged"]
        for found in entry["answers"]
    ]
    return "\n".join(lines)


def main() -> None:
    """Judge, write, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", help="of a policy in the folder")
    parser.add_argument("--out", type=Path, default=DATA, help="folder of policies")
    given = parser.parse_args()
    folder = given.out / given.name
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    seen = [each["device"] for each in card["judged"] if each["trained_on"]]
    print(shown(completed(folder, [each["device"] for each in card["judged"]], seen)))


if __name__ == "__main__":
    main()
