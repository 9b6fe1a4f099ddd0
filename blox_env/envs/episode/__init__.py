"""Parts of environments: choices, masks, observations, goals, outcomes, and the transition."""
