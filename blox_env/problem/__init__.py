"""Problems of a search: the task, the ledger of what was spent, and the exact answers."""

from blox_env.problem.problem import Problem

__all__ = ["Problem"]
