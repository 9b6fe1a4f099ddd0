"""Tables of imported data in a folder: the one room that knows their bytes."""
