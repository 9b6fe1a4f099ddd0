"""``blox_env/BloxEdit-v0``: an episode improves an architecture, one change a step."""

from __future__ import annotations

from typing import cast

from blox_env.envs.config import EnvConfig, configured
from blox_env.envs.env import BloxEnv
from blox_env.envs.episode.edits import Edits
from blox_env.envs.vector_env import BloxVectorEnv


class BloxEditEnv(BloxEnv):
    """Start from a whole network and change one thing at a time; the reward is the improvement.

    ## Action space
    What is set to what, by ``granularity``:

    =============  ==================  ============================================================
    granularity    space               action a
    =============  ==================  ============================================================
    ``block``      ``Discrete(135)``   the block of stage ``a // 45`` becomes ``a % 45``
    ``operation``  ``Discrete(42)``    of stage ``a // 14``, with ``b = a % 14``: op1 becomes ``b``
                                       (b < 3), op2 ``b - 3`` (b < 6), connection ``b - 6``
    =============  ==================  ============================================================

    An operation is changed in the canonical form of its block; a single operation has op1 = 0 and
    connection 2. ``info["action_mask"]`` and :meth:`action_masks` mark what makes an architecture,
    with ``latency_budget_ms`` one within it; setting what is set already is always allowed. A
    masked action ends the episode with reward 0 and ``info["invalid"]``.

    ## Observation space
    That of :class:`~blox_env.envs.env.BloxEnv` for the whole architecture, goals included.

    ## Reward
    The formula's reward of the new architecture minus that of the one before, so that the rewards
    of an episode add up to what was gained.

    ## Start and end of an episode
    It starts from ``reset(options={"arch": (3,)})``, or from one drawn evenly over the blocks of
    each stage (with a latency budget: over those that can still meet it), which depends on seed
    and number of the episode alone. It does not terminate; ``gym.make`` truncates it after 20 steps
    (``max_episode_steps``). With ``problem=`` the start is evaluated, too, and paid for; when the
    budget is spent the episode is truncated with reward 0 and ``info["budget_spent"]``.

    ## Info
    Of the current architecture, at reset and after every step: what
    :class:`~blox_env.envs.env.BloxEnv` gives at the end, ``cost`` included.

    ## Arguments
    Those of :class:`~blox_env.envs.env.BloxEnv`.

    ## Version history
    * v0: initial version.
    """

    @configured(EnvConfig)
    def __init__(self, config: EnvConfig) -> None:
        self._assemble(config, edits=True)

    @property
    def edits(self) -> Edits:
        """The changes that an action can make."""
        return cast("Edits", self.rules.moves)


class BloxEditVectorEnv(BloxVectorEnv):
    """Many :class:`BloxEditEnv` as one, with one batched evaluation a step.

    Arguments are those of the single environment and of
    :class:`~blox_env.envs.vector_env.BloxVectorEnv`. Where environments share a ``problem``, a
    step evaluates changes first and new starts after them.
    """

    _edits = True
