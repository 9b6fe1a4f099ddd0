"""Search algorithms: one file each, named as the agent is."""
