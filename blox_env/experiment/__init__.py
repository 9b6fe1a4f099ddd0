"""Many at once, on Ray: trainings, searches, and what follows from them."""
