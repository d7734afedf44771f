"""The nouns of Triptych: specs, groups, statistics, measures, estimates, profiles. Needs numpy and pyarrow only."""
