"""Judges a serving model by captured traffic: checks for drift and decay, and the gate of a retrained model."""
