"""Latencies of a whole space from a few measured networks."""
