"""Epochs of a neural network: one after the other."""
