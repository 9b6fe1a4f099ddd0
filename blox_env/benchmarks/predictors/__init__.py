"""Fitted models as they are kept in the folder of a benchmark: read, checked and asked."""
