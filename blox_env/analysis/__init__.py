"""Numbers from the runs of an experiment; nothing here draws."""
