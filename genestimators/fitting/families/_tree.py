"""Decision trees: prunings and truncations of one tree."""
