"""Gymnasium wrappers, named by what they change.

Each is there for single environments (``gymnasium.make``) and, with ``Vector`` behind its name, for
vector environments (``gymnasium.make_vec``); both do the same, step by step, in all three autoreset
modes. Observations, action masks and infos that a wrapper does not name stay as they are.

======================  =====================  =====================================================
wrapper                 changes                how
======================  =====================  =====================================================
`ScalarReward`          reward                 a vector reward (``blox_env/MOBlox-v0``) becomes one
                                               number, by weights or the Chebyshev distance;
                                               ``info["vector_reward"]``, ``info["reward_weights"]``
`RandomWeights`         reward, observation    the same, with weights drawn for every episode and
                                               shown: one policy for all preferences
`LatencyCost`           info                   ``info["cost"]``, the relative excess over a latency
                                               budget, for constrained RL
`EvaluationLimit`       truncation             a budget of distinct architectures ends the episodes
                                               that it cannot pay for, ``info["budget_spent"]``
`NoisyEvaluation`       reward, info           a new error on each accuracy, and the reward of it
`NondominatedArchive`   nothing                ``.archive`` keeps the front of what was evaluated
======================  =====================  =====================================================

What the environments do by themselves is better asked of them: ``latency_budget_ms`` masks what
would exceed a budget, ``problem=Problem(budget=…)`` counts evaluations and keeps a history,
``noise="sampled"`` gives each architecture one training.

Inside out they go ``NoisyEvaluation``, ``EvaluationLimit``, ``NondominatedArchive``,
``LatencyCost``, then ``ScalarReward`` or ``RandomWeights``: what is not paid for is not archived,
and noise goes into the vector before it is weighted. What is drawn depends on seed and number of
the episode alone (environment i of many draws what a single one with ``seed + i`` does). Arguments
are plain values, so that ``env.spec`` of a wrapped environment can be written as JSON.
"""

from blox_env.wrappers.evaluation_limit import EvaluationLimit, EvaluationLimitVector, Evaluations
from blox_env.wrappers.latency_cost import LatencyCost, LatencyCostVector
from blox_env.wrappers.noisy_evaluation import NoisyEvaluation, NoisyEvaluationVector
from blox_env.wrappers.nondominated_archive import (
    Archive,
    NondominatedArchive,
    NondominatedArchiveVector,
)
from blox_env.wrappers.random_weights import RandomWeights, RandomWeightsVector
from blox_env.wrappers.scalar_reward import ScalarReward, ScalarRewardVector

__all__ = [
    "Archive",
    "EvaluationLimit",
    "EvaluationLimitVector",
    "Evaluations",
    "LatencyCost",
    "LatencyCostVector",
    "NoisyEvaluation",
    "NoisyEvaluationVector",
    "NondominatedArchive",
    "NondominatedArchiveVector",
    "RandomWeights",
    "RandomWeightsVector",
    "ScalarReward",
    "ScalarRewardVector",
]
