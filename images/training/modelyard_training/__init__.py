"""Trains a model on a pinned dataset version, by recipe or by the user's script, and publishes it."""
