"""Lasso and elastic net: a warm path of coordinate descent on moments."""
