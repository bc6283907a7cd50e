"""Knockoff copies of columns, and what is selected by them."""
