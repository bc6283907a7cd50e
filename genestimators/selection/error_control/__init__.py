"""Rules that select, and what bounds their errors."""
