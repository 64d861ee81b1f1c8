"""`make demo`: the whole life of a model, on a real cluster, told as it happens."""
