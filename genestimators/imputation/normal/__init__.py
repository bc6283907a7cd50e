"""A multivariate normal model of incomplete rows: fitting it, and filling by it."""
