"""The compiled environment and the numpy one, step by step beside each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from blox_env.envs.episode.core import Episodes
from blox_env.envs.episode.goals import seed_numbers
from blox_env.envs.episode.moves import ALL

STEPS = 12  # of episodes that do not end by themselves


def random_actions(env, masks, rng, wild=0.05):
    """An action an episode: mostly an allowed one."""
    n = len(masks)
    if env.moves.whole:
        return env.space.sample(rng, n)
    weights = masks + 0.0
    weights[rng.random(n) < wild] += 0.2
    total = weights.cumsum(axis=1)
    drawn = rng.random(n) * total[:, -1]
    return (total > drawn[:, None]).argmax(axis=1)


def differences(env, params, n: int, seed: int = 0) -> dict[str, float]:
    """The largest differences of ``n`` random episodes, by what differs.

    Fails where what is no real number differs at all.
    """
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(seed)
    core = Episodes(env.rules, n)
    core.seeds = seed_numbers(seed, n)
    begun = core.begin(ALL)
    rows = jnp.asarray(begun[-1][1]["arch"]) if env.moves.edits else None
    begin = jax.jit(jax.vmap(env.begin, (None, 0, None if rows is None else 0)))
    step = jax.jit(jax.vmap(env.step_env, (None, 0, 0, None)))
    mask_of = jax.jit(jax.vmap(env.action_mask, (0, None)))
    seen, states = begin(params, jnp.asarray(core.goals), rows)
    going = np.ones(n, dtype=bool)
    worst: dict[str, float] = {}
    took = 0
    for _ in range(STEPS if env.moves.edits else len(env.rules.decisions)):
        masks = core.masks()
        _same(worst, "observation", core.observe(masks), seen, going)
        assert np.array_equal(np.asarray(mask_of(states, params))[going], masks[going])
        actions = random_actions(env, masks, rng)
        done = core.advance(actions, ~going)
        seen, states, reward, ended, info = step(
            jax.random.key(seed), states, jnp.asarray(actions), params
        )
        assert np.array_equal(np.asarray(ended)[going], done.terminated[going])
        _same(worst, "reward", done.rewards, reward, going)
        _compare_infos(worst, done.news, info, going)
        took += int(going.sum())
        going &= ~done.terminated
    assert env.moves.edits or not going.any()
    assert took > n / 2
    return worst


def _compare_infos(worst, news, info, going):
    n = len(going)
    for key in ("arch", "val_acc", "latency_ms", "cost", "invalid"):
        for which, columns in news:
            if key in columns:
                chosen = np.zeros(n, dtype=bool)
                chosen[which] = True
                wide = np.zeros((n, *columns[key].shape[1:]), dtype=columns[key].dtype)
                wide[which] = columns[key]
                last = key != "cost" or bool(np.any(columns[key]))
                if last:  # a step's first news are costs of zero
                    _same(worst, key, wide, info[key], going & chosen)
    told = [which for which, columns in news if "arch" in columns]
    done = np.zeros(n, dtype=bool)
    for which in told:
        done[which] = True
    assert np.array_equal(np.asarray(info["evaluated"])[going], done[going])


def _same(worst: dict[str, float], name: str, theirs: Any, ours: Any, which: Any) -> None:
    if isinstance(theirs, dict):
        assert theirs.keys() == ours.keys()
        for key in theirs:
            _same(worst, name, theirs[key], ours[key], which)
        return
    one, two = np.asarray(theirs)[which], np.asarray(ours)[which]
    assert one.shape == two.shape, name
    if one.dtype.kind != "f":
        assert np.array_equal(one, two), name
        return
    assert np.array_equal(np.isnan(one), np.isnan(two)), name
    # relative where numbers are large: parameters and milliseconds, not fractions
    scale = np.maximum(1.0, np.abs(np.nan_to_num(one)))
    gap = np.abs(np.nan_to_num(one) - np.nan_to_num(two)) / scale
    worst[name] = max(worst.get(name, 0.0), float(gap.max(initial=0.0)))
