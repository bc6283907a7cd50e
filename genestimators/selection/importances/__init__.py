"""How much each feature is worth, in closed form or by fits."""
