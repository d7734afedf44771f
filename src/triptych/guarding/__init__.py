"""Guard: what a loop's rounds say about it, read from its texts, and the rule that says continue, warn or stop."""
