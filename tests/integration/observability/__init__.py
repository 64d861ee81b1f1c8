"""The operator as Prometheus and people who read logs see it."""
