"""Discriminant analysis: shrunken covariances from one decomposition."""
