"""Many searches at once, on Ray, and their run files."""
