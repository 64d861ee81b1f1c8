"""Builds a dataset version: sources, one SQL select, checks, splits, profile, promotion or quarantine."""
