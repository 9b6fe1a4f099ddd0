"""What single and vector environments share: choices, masks, observations, goals, outcomes."""
