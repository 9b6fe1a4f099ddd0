"""What the runs of an experiment say, as numbers; nothing here draws."""
