"""From measurements in a space too large to list to a device: what each block adds, and a card."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.devices.base import Device
from blox_env.devices.build import raw_of, tabulate, visits_npz
from blox_env.devices.card import listed, score_row, used_by_others
from blox_env.devices.estimators import predictor
from blox_env.devices.estimators.predictor import Candidate
from blox_env.devices.facts import facts, score_facts
from blox_env.devices.protocol import STATISTICS
from blox_env.devices.slotwise import CARD, SPACES, TABLE, SlotwiseDevice, from_folder, table_of
from blox_env.devices.values import bootstrap_error, combine
from blox_env.ground.errors import unknown_name
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BLOCKS, STAGES
from blox_env.spaces.blox.stages import BlockSpace
from blox_env.store.arrays import array_bytes

STATISTIC = "p25"  # of a visit, fixed before anything was measured
FEWEST = 20  # networks
DRAWN = 100_000  # architectures whose range of latencies the card tells


def build_slotwise(
    raw_folder: str | os.PathLike[str],
    out_folder: str | os.PathLike[str],
    *,
    prior: Device | None = None,
) -> SlotwiseDevice:
    """Make a device of complete measurements, and write it to ``out_folder``.

    A block costs the same wherever in its stage it stands, so that what is fitted is a number for
    each block of each stage.

    Args:
        raw_folder: what was measured.
        out_folder: where to write the device.
        prior: a device of the same runtime for networks of single blocks, whose latencies tell
            about blocks as well.

    Returns:
        The device as loaded from ``out_folder``.

    Raises:
        ValueError: visits are missing, or of too few networks.
    """
    plan, visits = raw_of(Path(raw_folder))
    if plan["space"] not in SPACES:
        raise ValueError(f"{raw_folder}: {unknown_name('space', plan['space'], SPACES)}")
    space = SPACES[plan["space"]]()
    rows = space.check(plan["rows"])
    if len(rows) < FEWEST:
        raise ValueError(f"expected measurements of at least {FEWEST} networks, got {len(rows)}")
    _, times, positions = tabulate(plan, visits, str(raw_folder))
    logs = np.log(times[:, :, STATISTICS.index(STATISTIC)])
    half = len(logs) // 2
    first, second = (np.exp(combine(part, positions, 0)) for part in (logs[:half], logs[half:]))
    measured = np.exp(combine(logs, positions, 0))
    candidates = _candidates(prior)
    name, held_out = predictor.choose(space, rows, measured, candidates=candidates)
    base, tables = _tables(space, rows, measured, candidates[name])
    made = SlotwiseDevice(plan["device"], space, base, tables)
    drawn = made.latency_ms(space.sample(np.random.default_rng(0), DRAWN))
    plan["choice"] = f"drawn uniformly (seed {plan['seed']})"
    files = {
        TABLE: array_bytes(table_of(base, tables)),
        "networks.npy": array_bytes(rows.astype(np.uint8)),
        "visits.npz": visits_npz(visits),
    }
    card = {
        **facts(plan, visits, space, drawn, measured),
        "kind": "slotwise",
        "statistic": {"visit": STATISTIC, "drift_window": 0, "over_rounds": "median"},
        "noise": {
            "retest": score_facts(predictor.scores(first, second)),
            "rounds_each": half,
            "expected_mape_of_value": bootstrap_error(logs, positions, 0),
        },
        "predictor": {
            "name": name,
            "words": candidates[name].words,
            "priors": {} if prior is None else {prior.name: prior.checksum()},
            "folds": 10,
            "held_out": score_facts(held_out[name]),
            "held_out_of_all": {key: score_facts(value) for key, value in held_out.items()},
        },
        "files": {key: hashlib.sha256(data).hexdigest() for key, data in files.items()},
    }
    card["description"] = _description(card)
    folder = Path(out_folder)
    for key, data in files.items():
        write_atomic(folder / key, data)
    write_atomic(folder / "CARD.md", card_text(card))
    write_atomic(folder / CARD, json.dumps(card, indent=1) + "\n")
    return from_folder(folder)


def by_stage(space: SearchSpace, x: ArrayLike) -> FloatArray:
    """Numbers of operations, positions, connections and blocks in each stage, ``(n, 3 · 64)``.

    Args:
        space: of Blox blocks.
        x: the architectures ``(n, slots)``.
    """
    parts = [
        space.features(x, kind) * weight
        for kind, weight in (("counts", 1.0), ("ops", 1.0), ("onehot", 0.5))
    ]
    stages = [part.reshape(len(part), STAGES, _depth(space), -1).sum(axis=2) for part in parts]
    return np.concatenate([stage.reshape(len(stage), -1) for stage in stages], axis=1)


def _depth(space: SearchSpace) -> int:
    if not isinstance(space, BlockSpace):
        raise TypeError(f"expected a space of Blox blocks, got {space!r}")
    return space.depth


def _candidates(prior: Device | None) -> dict[str, Candidate]:
    """Linear models of numbers in each stage, with and without what a prior says of each block."""
    model = predictor.CANDIDATES["ridge-parts"].model
    words = "ridge on operations, positions, connections and blocks by stage"
    found = {"stages": Candidate(by_stage, model, words)}
    if prior is None:
        return found
    blocks = _of_blocks(prior)

    def with_prior(space: SearchSpace, x: ArrayLike) -> FloatArray:
        rows = space.check(x).reshape(-1, STAGES, _depth(space))
        known = [blocks[stage][rows[:, stage]].sum(axis=1) for stage in range(STAGES)]
        scale = 10 * np.mean([part.std() for part in blocks])  # hardly held back by the penalty
        return np.column_stack([by_stage(space, x), *(part / scale * 100 for part in known)])

    found["stages-prior"] = Candidate(
        with_prior, model, f"{words}, and what blocks add on {prior.name}"
    )
    return found


def _of_blocks(prior: Device) -> FloatArray:
    """Milliseconds that blocks add on a device of networks of single blocks, ``(stages, 45)``."""
    rows = prior.space.all()
    latency = prior.latency_ms(rows)
    count = len(BLOCKS)
    means = [
        np.bincount(rows[:, stage], latency, count) / np.bincount(rows[:, stage], minlength=count)
        for stage in range(STAGES)
    ]
    return np.asarray(np.array(means) - latency.mean(), dtype=np.float64)


def _tables(
    space: SearchSpace, rows: ArrayLike, measured: FloatArray, candidate: Candidate
) -> tuple[float, list[FloatArray]]:
    """The constant and what the options of each slot add, of a linear model of all networks."""
    model = candidate.model()
    model.fit(candidate.features(space, rows), measured)
    zero = np.zeros(space.slots, dtype=np.int64)
    base = float(model.predict(candidate.features(space, zero[None]))[0])
    tables = []
    for slot, options in enumerate(space.options):
        own = np.repeat(zero[None], options, axis=0)
        own[:, slot] = np.arange(options)
        tables.append(model.predict(candidate.features(space, own)) - base)
    return base, tables


def _description(card: dict[str, Any]) -> str:
    settings = card["runtime"]["settings"]
    return (
        f"Latency in milliseconds of one inference of full-size CIFAR networks (width "
        f"{card['network']['width']}, {card['network']['classes']} classes), input "
        f"{'×'.join(map(str, card['input_shape']))}, {settings.get('precision', '')}, "
        f"{card['runtime']['name']} with {settings.get('intra_op_num_threads', '1')} thread(s) on "
        f"{card['machine']['cpu']}. Predicted for every network, from {card['measured']} measured"
    )


def card_text(card: dict[str, Any]) -> str:
    """The card for people, every number from ``card``."""
    p, noise, found, latency = (card[k] for k in ("protocol", "noise", "predictor", "latency_ms"))
    held, retest, during = found["held_out"], noise["retest"], card["during"]
    lines = [
        f"# {card['name']}",
        "",
        f"{card['description']}.",
        "",
        (
            f"- **Predictor:** {found['words']}: a sum over the slots. Held out in "
            f"{found['folds']}-fold cross-validation: mean error {held['mape']:.2%}, Spearman "
            f"{held['spearman']:.3f}, R² {held['r2']:.3f}."
        ),
        (
            f"- **Range:** {latency['min']:.3f} … {latency['max']:.3f} ms, median "
            f"{latency['median']:.3f} ms, over {DRAWN:,} drawn architectures (measured ones "
            f"{latency['measured_min']:.3f} … {latency['measured_max']:.3f})."
        ),
        (
            f"- **Noise:** the first {noise['rounds_each']} rounds against the others: mean "
            f"difference {retest['mape']:.2%}, Spearman {retest['spearman']:.3f}."
        ),
        (
            f"- **Protocol:** {p['rounds']} rounds over all networks, {p['runs']} timed inferences "
            f"a visit; value: {STATISTIC} of a visit (fixed beforehand), median over the rounds."
        ),
        f"- **Networks:** {card['choice']}; random weights.",
        f"- **Versions:** {listed(card['runtime']['versions'])}.",
        (
            f"- **When:** {during['from']} to {during['to']} (UTC); "
            f"{used_by_others(during, 'of the cores that it kept to')}."
        ),
        "",
        "| predictor | held-out error | Spearman | Kendall | R² |",
        "|---|---|---|---|---|",
        *(score_row(key, value) for key, value in found["held_out_of_all"].items()),
    ]
    return "\n".join(lines) + "\n"
