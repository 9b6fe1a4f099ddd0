"""What RL libraries lack in Gymnasium's interface: one file a library, each with an extra."""
