"""What is asked of a search, what it has spent, and the exact answers."""

from blox_env.problem.problem import Problem

__all__ = ["Problem"]
