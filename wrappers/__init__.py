"""Gymnasium wrappers, named by what they change."""
