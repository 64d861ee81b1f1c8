"""Benchmarks: our figures and the peers' from one run, on one machine, as ratios where machines differ."""
