"""Trained policies: asked for a latency target, they answer with an architecture at once.

:func:`load_policy` gives one by its name, :meth:`Policy.propose` asks it, :meth:`Policy.act` lets
it act in an environment, and :func:`judge_policy` compares its answers with the exact ones. A
policy is a folder of a card and one file of arrays; reading it can run no code, and asking it needs
numpy alone.
"""

from __future__ import annotations

from blox_env.policies.files import write_policy
from blox_env.policies.judging import Judgement, exact_answers, judge_policy, random_answers
from blox_env.policies.loading import list_policies, load_policy
from blox_env.policies.policy import Policy, Proposal

__all__ = [
    "Judgement",
    "Policy",
    "Proposal",
    "exact_answers",
    "judge_policy",
    "list_policies",
    "load_policy",
    "random_answers",
    "write_policy",
]
