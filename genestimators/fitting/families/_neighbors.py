"""Nearest neighbours: every number of neighbours from one search."""
