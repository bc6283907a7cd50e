"""Selected features: the first of one ranking."""
