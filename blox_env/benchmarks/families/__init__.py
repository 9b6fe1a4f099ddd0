"""Families of models that predict learning curves from features of architectures."""

from blox_env.benchmarks.families.base import Family, Model
from blox_env.benchmarks.families.registry import FAMILIES, list_families, load_family

__all__ = ["FAMILIES", "Family", "Model", "list_families", "load_family"]
