"""Adapters to RL libraries: one file a library, each with an extra."""
