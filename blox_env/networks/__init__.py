"""Architectures as torch modules, tasks to train them on, and training."""
