"""Components: the first of one decomposition."""
