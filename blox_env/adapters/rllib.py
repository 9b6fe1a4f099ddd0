"""RLlib: a policy that takes allowed actions only, for PPO on the new API stack.

::

    config = (
        PPOConfig()
        .environment(
            "blox_env:blox_env/Blox-v0",
            env_config={"observation": "dict", "granularity": "operation"},
        )
        .env_runners(num_envs_per_env_runner=64, gym_env_vectorize_mode="vector_entry_point")
        .rl_module(
            rl_module_spec=RLModuleSpec(
                module_class=MaskedRLModule, model_config={"fcnet_hiddens": [64, 64]}
            )
        )
    )

RLlib's own masked module is an example for PPO alone; this one rests on the public interfaces
``TorchRLModule`` and ``ValueFunctionAPI`` and builds its layers itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from gymnasium import spaces

from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.extras import extra

with extra("rllib", "the adapter for RLlib"):
    import torch
    from ray.rllib.core.columns import Columns
    from ray.rllib.core.distribution.torch.torch_distribution import TorchMultiCategorical
    from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, ValueFunctionAPI
    from ray.rllib.core.rl_module.torch import TorchRLModule

from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh}
HIDDEN = (64, 64)


class MaskedRLModule(TorchRLModule, ValueFunctionAPI, InferenceOnlyAPI):  # type: ignore[misc]
    """Two small networks, policy and value, of which the first gives masked actions no chance.

    The observation is that of ``observation="dict"``: ``observations``, a vector that goals are
    part of, and ``action_mask``. The mask is applied in inference, exploration and training alike.
    Where a mask allows nothing, as in no environment of this package, all actions are equal.

    Args (of ``model_config``):
        fcnet_hiddens: widths of the hidden layers of either network, (64, 64).
        fcnet_activation: ``"tanh"``, ``"relu"`` or ``"silu"``.
        vf_share_layers: whether both networks have the hidden layers in common. RLlib sets it for
            each algorithm (False for PPO) unless ``model_config`` does.

    Other keys are left to RLlib, which adds some of its own.

    Raises:
        ValueError: for another observation or action space, or bad values of those keys.
    """

    def setup(self) -> None:
        """Build the layers; RLlib calls it."""
        inputs, outputs = _widths(self.observation_space, self.action_space)
        config = _settings(self.model_config)
        hidden, activation = config["fcnet_hiddens"], config["fcnet_activation"]
        self.body, width = _layers(inputs, hidden, activation)
        self.logits = nn.Linear(width, outputs)
        self.shared = config["vf_share_layers"]
        if not self.shared:
            self.critic, width = _layers(inputs, hidden, activation)
        self.value = nn.Linear(width, 1)
        if isinstance(self.action_space, spaces.MultiDiscrete):
            self.action_dist_cls = TorchMultiCategorical.get_partial_dist_cls(
                input_lens=self.action_space.nvec.tolist()
            )

    def get_non_inference_attributes(self) -> list[str]:
        """Parts that environment runners do without: the value network."""
        return ["value"] if self.shared else ["value", "critic"]

    def compute_values(self, batch: dict[str, Any], embeddings: Tensor | None = None) -> Tensor:
        """Values ``(…,)`` of the observations.

        Args:
            batch: has them under ``obs``.
            embeddings: of the shared hidden layers, where they are computed already.
        """
        observations = batch[Columns.OBS]["observations"]
        if not self.shared:
            embeddings = self.critic(observations)
        elif embeddings is None:
            embeddings = self.body(observations)
        values: Tensor = self.value(embeddings)
        return values.squeeze(-1)

    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Tensor]:
        """Masked logits of acting, with exploration and without."""
        return {Columns.ACTION_DIST_INPUTS: self._masked(batch)[0]}

    def _forward_train(self, batch: dict[str, Any], **_: Any) -> dict[str, Tensor]:
        """Masked logits, and what the value network can share."""
        logits, embeddings = self._masked(batch)
        shared = {Columns.EMBEDDINGS: embeddings} if self.shared else {}
        return {Columns.ACTION_DIST_INPUTS: logits, **shared}

    def _masked(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        observation = batch[Columns.OBS]
        embeddings = self.body(observation["observations"])
        logits: Tensor = self.logits(embeddings)
        # the lowest number rather than minus infinity, which has no entropy and no divergence
        lowest = torch.finfo(logits.dtype).min
        return logits.masked_fill(observation["action_mask"] == 0, lowest), embeddings


def _widths(observations: Any, actions: Any) -> tuple[int, int]:
    """Numbers in and logits out, of spaces that fit together."""
    parts = observations.spaces if isinstance(observations, spaces.Dict) else {}
    vector, mask = parts.get("observations"), parts.get("action_mask")
    if not isinstance(vector, spaces.Box) or len(vector.shape) != 1 or mask is None:
        raise ValueError(
            "observation_space must be a Dict of a vector 'observations' and an 'action_mask', "
            f"got {observations}: make the environment with observation='dict'"
        )
    if isinstance(actions, spaces.Discrete) and actions.start == 0:
        width = int(actions.n)
    elif isinstance(actions, spaces.MultiDiscrete) and actions.nvec.ndim == 1:
        width = int(np.sum(actions.nvec))
    else:
        raise ValueError(
            f"action_space must be Discrete from 0 or a flat MultiDiscrete, got {actions}"
        )
    if mask.shape != (width,):
        raise ValueError(f"'action_mask' must have shape ({width},) for {actions}, got {mask}")
    return vector.shape[0], width


def _settings(model_config: Any) -> dict[str, Any]:
    """The keys that are ours, checked."""
    if model_config is None:
        model_config = {}
    given = dict(model_config) if isinstance(model_config, Mapping) else vars(model_config)
    hidden = given.get("fcnet_hiddens", HIDDEN)
    if not isinstance(hidden, Sequence) or isinstance(hidden, str):
        raise ValueError(f"fcnet_hiddens must be a list of widths, got {hidden!r}")
    activation = given.get("fcnet_activation", "tanh")
    if activation not in ACTIVATIONS:
        raise ValueError(unknown_name("fcnet_activation", activation, ACTIVATIONS))
    return {
        "fcnet_hiddens": [check_positive_int("fcnet_hiddens", width) for width in hidden],
        "fcnet_activation": ACTIVATIONS[activation],
        "vf_share_layers": bool(given.get("vf_share_layers", False)),
    }


def _layers(
    inputs: int, hidden: Sequence[int], activation: type[nn.Module]
) -> tuple[nn.Sequential, int]:
    """Hidden layers, and the width of what they give."""
    widths = [inputs, *hidden]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers), widths[-1]
