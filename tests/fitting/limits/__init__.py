"""Means over all bootstrap samples, by a formula."""
