"""Loop: generate, verify, measure, select, train, evaluate, round after round."""
