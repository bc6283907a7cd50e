"""Logistic regression: warm Newton paths over the strength of the L2 penalty."""
