"""Environments: single and vector forms of building, editing and vector rewards."""
