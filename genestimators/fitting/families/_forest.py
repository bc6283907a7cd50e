"""Forests and bags: pruned members, and the first members of many."""
