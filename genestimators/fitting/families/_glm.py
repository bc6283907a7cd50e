"""Generalised linear models: warm Newton paths over alpha."""
