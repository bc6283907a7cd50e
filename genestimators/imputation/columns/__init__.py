"""Tables in and out: what columns hold, levels, marginals, masks, cells."""
